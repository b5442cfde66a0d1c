import { text } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

const lines = (page: Page) => page.getByRole("listitem");
const query = (page: Page) => new URLSearchParams(new URL(page.url()).hash.split("?")[1]);

describeConsole("what of the live events is shown", ({ open, startBed }) => {
  let bed: ConsoleBed;
  beforeAll(async () => {
    bed = await startBed();
    bed.simulator.cluster.runJob({ id: "shop", groups: [{ name: "web", count: 2, tasks: ["main"] }] });
  });

  it("is chosen by a value that one points at, taken away again, and stays in the address", async () => {
    const { page } = await open(bed, "#/live?types=allocations");
    await lines(page)
      .filter({ hasText: "shop.web[0]" })
      .first()
      .getByRole("button", { name: "default" })
      .click();
    await page
      .getByRole("dialog", { name: "Namespace default" })
      .getByRole("button", { name: "Only default" })
      .click();
    await until("the address has it", () => query(page).get("namespaces") === "default");
    await page.getByRole("button", { name: "Not only type allocations" }).click();
    await lines(page).filter({ hasText: "job shop" }).first().waitFor();
    expect(query(page).get("types")).toBeNull();
    await page.reload();
    await page.getByText("Namespace default").waitFor();
  });

  it("is chosen by an expression, with what can stand there and what is wrong with it", async () => {
    const { page, problems } = await open(bed, "#/live");
    await lines(page).first().waitFor();
    problems.tolerate(/400/);
    await page.keyboard.press("/");
    const input = page.getByRole("combobox", { name: "Filter expression" });
    await input.pressSequentially("resource.job == sh");
    await page.getByRole("option", { name: '"shop"' }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await until("the address has it", () => query(page).get("filter") === 'resource.job == "shop"');
    await lines(page).filter({ hasText: "shop" }).first().waitFor();
    await input.fill("resource.job = 1");
    await page.keyboard.press("Escape");
    await page.getByRole("alert").filter({ hasText: "position 14" }).waitFor();
  });

  it("is written in an editor whose styles the page's policy lets in", async () => {
    const { page } = await open(bed, "#/live");
    await lines(page).first().waitFor();
    await page.getByRole("button", { name: "Write the filter in an editor" }).click();
    const editor = page.getByRole("textbox", { name: "Filter expression, in an editor" });
    await editor.pressSequentially('op == "delete"');
    await page.keyboard.press("Control+Enter");
    await until("the address has it", () => query(page).get("filter") === 'op == "delete"');
  });

  it("has a key for every menu, also for the stretch of time that a pointer would drag over", async () => {
    const { page } = await open(bed, "#/live");
    await lines(page).first().waitFor();
    await page.keyboard.press("Shift+?");
    const keys = page.getByRole("dialog", { name: "Keys" });
    const key = keys
      .locator("div")
      .filter({ hasText: /^Choose a stretch of time/ })
      .locator("kbd");
    expect(await key.last().innerText()).toBe("r");
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    await page.getByRole("dialog", { name: "Range" }).getByLabel("Only from").waitFor();
  });

  it("is exported whole, as the feed sent it", async () => {
    const { page } = await open(bed, "#/live?jobs=shop");
    await lines(page).filter({ hasText: "shop" }).first().waitFor();
    await page.keyboard.press("p");
    await page.keyboard.press("x");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "NDJSON" }).click(),
    ]);
    const exported = (await text(await download.createReadStream())).trim().split("\n");
    const [first = ""] = exported;
    const { cursor } = JSON.parse(first) as { cursor: string };
    const sent = await (await fetch(`${bed.url}/v1/events/${cursor}`)).text();
    expect(first).toBe(sent.trim());
    const size = await lines(page).first().getAttribute("aria-setsize");
    expect(exported).toHaveLength(Number(size) - 1);
    await page
      .getByRole("status")
      .filter({ hasText: `${exported.length} events in the file.` })
      .waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it.each(["desk", "phone"] as const)("can be used by everybody at a %s", async (device) => {
    const { page } = await open(bed, "#/live?minSeverity=INFO", { device });
    await lines(page).first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByRole("dialog", { name: "Filters" }).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
  });
});
