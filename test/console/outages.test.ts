import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { readConsoleFiles } from "../../src/http/console/files.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { allocationUpdates } from "../support/console/allocation-updates.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";

/** So high that all rows are drawn. */
const HIGH = { width: 1440, height: 2400 };

/** Cursors of the events that are shown, newest first. */
async function shown(page: Page): Promise<string[]> {
  const hidden = await page.locator("[aria-setsize] a .visually-hidden").allTextContents();
  return hidden.flatMap((text) => /^Event (\S+)/.exec(text)?.[1] ?? []);
}

/** Cursors of all that the log has, newest first. */
async function logged(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/v1/events?order=newest-first&limit=1000`);
  return ((await answer.json()) as { cursor: string }[]).map(({ cursor }) => cursor);
}

/** Waits until every event of the log is shown, none twice, and what happened meanwhile is said in these lines alone. */
async function expectAllAnd(page: Page, url: string, said: readonly RegExp[]): Promise<void> {
  const lines = () => page.locator('[aria-setsize] [data-kind="connection"]').allTextContents();
  await until("what happened is said", async () => (await lines()).length >= said.length);
  await until("all events are shown", async () => {
    const [onPage, inLog] = [await shown(page), await logged(url)];
    return onPage.length >= inLog.length && onPage[0] === inLog[0];
  });
  expect(await shown(page)).toEqual(await logged(url));
  expect(await lines()).toEqual(said.map((line) => expect.stringMatching(line)));
}

const live = (page: Page) =>
  page
    .getByRole("status")
    .filter({ hasText: /^Live$/ })
    .waitFor();

describeConsole(
  "after an outage the live events are all there, once, and one line says what happened:",
  ({ open }) => {
    const opened = async (feed: TestFeed) => {
      await feed.commit(...allocationUpdates(10));
      const { url } = await feed.serve({}, { console: readConsoleFiles(inject("consoleFolder")) });
      const { page, problems } = await open({ url });
      await page.setViewportSize(HIGH);
      await live(page);
      return { page, problems, url };
    };

    it("the bridge was killed, and another one goes on with its log", async () => {
      const folder = await mkdtemp(join(tmpdir(), "ncf-outages-"));
      const simulator = createSimulator({ seed: 1, allocations: 6, namespaces: 1 });
      const nomadAddr = await simulator.listen();
      const start = (listen: string) =>
        startBridgeProcess({
          nomadAddr,
          feed: `sqlite:${join(folder, "feed.db")}`,
          flags: ["--listen", listen, "--cluster", "prod", "--baseline", "events", "--wait", "1s"],
        });
      const killed = start("127.0.0.1:0");
      const url = await killed.url();
      await killed.ready();
      const { page, problems } = await open({ url });
      await page.setViewportSize(HIGH);
      await live(page);
      problems.tolerate(/net::ERR_(CONNECTION|EMPTY|INCOMPLETE)|WebSocket connection| 503 /);

      // Killed while it has something to write.
      for (const at of [1, 2, 3]) simulator.cluster.registerJob({ id: `before-${at}` });
      await page.getByRole("listitem").filter({ hasText: "before-" }).first().waitFor();
      await killed.kill();
      await page
        .getByRole("status")
        .filter({ hasText: /^Reconnecting$/ })
        .waitFor();
      for (const at of [1, 2, 3]) simulator.cluster.registerJob({ id: `meanwhile-${at}` });
      const other = start(new URL(url).host);
      await other.ready();
      await page.getByRole("listitem").filter({ hasText: "meanwhile-3" }).first().waitFor();
      await live(page);
      await expectAllAnd(page, url, [/Connected again: nothing is missing/]);
      await page.close();
      await other.stop();
      await simulator.close();
      await rm(folder, { recursive: true });
    });

    it("the network was away", async () => {
      await using feed = await TestFeed.open();
      const { page, problems, url } = await opened(feed);
      problems.tolerate(/net::ERR_INTERNET_DISCONNECTED|WebSocket connection/);
      await page.context().setOffline(true);
      await feed.commit(...allocationUpdates(15));
      await page.context().setOffline(false);
      await live(page);
      await expectAllAnd(page, url, [/The network was away: read on/]);
      await page.close();
    });

    it("the machine slept", async () => {
      await using feed = await TestFeed.open();
      const { page, url } = await opened(feed);
      await page.clock.install();
      await page.reload();
      await live(page);
      await feed.commit(...allocationUpdates(15));
      await page.clock.fastForward("10:00");
      await live(page);
      await expectAllAnd(page, url, [/Asleep for 10 min.*: read on/]);
      await page.close();
    });

    it("the page stood still, of which there is nothing to say", async () => {
      await using feed = await TestFeed.open();
      const { page, url } = await opened(feed);
      const session = await page.context().newCDPSession(page);
      // A browser freezes only what nobody sees, and sees to it in its own time: a debugger stops the page as well.
      await session.send("Debugger.enable");
      const stands = new Promise((resolve) => session.once("Debugger.paused", resolve));
      await session.send("Debugger.pause");
      await feed.commit(...allocationUpdates(15));
      await stands;
      await feed.commit(...allocationUpdates(10));
      await session.send("Debugger.resume");
      await live(page);
      await expectAllAnd(page, url, []);
      await page.close();
    });
  },
);
