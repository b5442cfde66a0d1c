import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole, titled } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

const PAGES = ["Live", "State", "Deployments", "Cluster", "Alerts", "Deliveries"];

describeConsole("the frame of the console", ({ open, startBed }) => {
  let bed: ConsoleBed;
  beforeAll(async () => {
    bed = await startBed();
  });

  it("says which cluster it is of, and leads to every page by mouse", async () => {
    const { page } = await open(bed, "#/alerts");
    await page.getByText("prod").waitFor();
    const navigation = page.getByRole("navigation", { name: "Pages" });
    for (const name of PAGES) {
      const link = navigation.getByRole("link", { name: new RegExp(`^${name.slice(0, 6)}`) });
      await link.click();
      await titled(page, `${name} · prod`);
      expect(await link.getAttribute("aria-current")).toBe("page");
    }
  });

  it("leads to every page by key, to the help and back, and to anything by a few letters", async () => {
    const { page } = await open(bed, "#/alerts");
    await page.getByText("prod").waitFor();
    for (const [key, name] of [
      ["l", "Live"],
      ["s", "State"],
      ["d", "Deployments"],
      ["c", "Cluster"],
      ["a", "Alerts"],
      ["v", "Deliveries"],
    ] as const) {
      // Two keys that come a second apart are no sequence: a busy machine tries again.
      await until(`the page ${name}`, async () => {
        await Promise.all([page.keyboard.press("g"), page.keyboard.press(key)]);
        return (await page.title()).startsWith(name);
      });
    }
    await page.keyboard.press("Shift+?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.waitFor();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("deploym");
    await page.keyboard.press("Enter");
    await titled(page, "Deployments");
  });

  it("is served with a policy that lets nothing unsafe in", async () => {
    const response = await fetch(bed.url, { headers: { accept: "text/html" } });
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain("unsafe");
  });

  it("takes the colours of the system, and those that one chooses by key", async () => {
    const background = (page: Page) =>
      page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const { page: light } = await open(bed, "#/alerts");
    const { page: dark } = await open(bed, "#/alerts", { theme: "dark" });
    await dark.getByText("prod").waitFor();
    const ofDark = await background(dark);
    expect(await background(light)).not.toBe(ofDark);
    await dark.keyboard.press("Shift+T");
    await until("it is light", async () => (await background(dark)) !== ofDark);
    expect(await background(dark)).toBe(await background(light));
  });
});
