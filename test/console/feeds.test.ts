import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { startFeeds } from "../support/feeds-process.ts";
import { until } from "../support/until.ts";

describeConsole("a process with several feeds", ({ open }) => {
  it("leads from its page to each, and from one to the same view of the other", async () => {
    await using parts = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "ncf-console-feeds-"));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const entries = await Promise.all(
      ["eu", "us"].map(async (name, at) => {
        const cluster = createSimulator({ seed: at + 1, allocations: 6 });
        parts.defer(() => cluster.close());
        const feed = `sqlite:${join(folder, `${name}.db`)}`;
        return { name, "nomad-addr": await cluster.listen(), feed };
      }),
    );
    // Nothing is there that could be asked.
    entries.push({
      name: "asia",
      "nomad-addr": "http://127.0.0.1:9",
      feed: `sqlite:${join(folder, "a.db")}`,
    });
    const file = join(folder, "feeds.yaml");
    await writeFile(file, JSON.stringify({ listen: "127.0.0.1:0", wait: "1s", feeds: entries }));
    const feeds = parts.use(await startFeeds(file, { consoleFolder: inject("consoleFolder") }));
    await until("two are ready", async () =>
      /(?=.*>eu<\/a>: ready)(?=.*>us<\/a>: ready)/s.test(
        await (await fetch(feeds.url, { headers: { accept: "text/html" } })).text(),
      ),
    );
    const { page } = await open(feeds);
    await page.getByRole("link", { name: "eu", exact: true }).click();
    await page.goto(`${feeds.url}/v1/feeds/eu/#/state/jobs?namespace=default`);
    const menu = page.getByRole("button", { name: "Feed: eu" });
    await menu.click();
    const item = (name: string) =>
      page.getByRole("dialog").getByRole("link", { name: new RegExp(`^${name}`) });
    await item("us").filter({ hasText: "up to date" }).waitFor();
    await item("asia").filter({ hasText: "not served yet" }).waitFor();
    const phone = await open(feeds, "v1/feeds/eu/#/live", { device: "phone", theme: "dark" });
    await phone.page.getByRole("button", { name: "Feed: eu" }).click();
    await phone.page.getByRole("dialog").getByRole("link", { name: /^us/ }).waitFor();
    await phone.page.close();
    expect(await item("eu").getAttribute("aria-current")).toBe("true");
    await item("us").click();
    await page.getByRole("button", { name: "Feed: us" }).waitFor();
    expect(page.url()).toBe(`${feeds.url}/v1/feeds/us/#/state/jobs?namespace=default`);
    // Before the process ends, of which it would tell.
    await page.close();
  });
});
