import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

interface LoggedEvent {
  readonly cursor: string;
  readonly subject: string;
  readonly data: { readonly signals: readonly string[]; readonly after?: Record<string, unknown> };
}

/** The events of an object, oldest first, once one has the signal. */
async function historyOf(bed: ConsoleBed, subject: string, signal: string): Promise<LoggedEvent[]> {
  return until(`${signal} of ${subject}`, async () => {
    const url = `${bed.url}/v1/history?order=oldest-first&subject=${encodeURIComponent(subject)}`;
    const events = (await (await fetch(url)).json()) as LoggedEvent[];
    return events.some(({ data }) => data.signals.includes(signal)) && events;
  });
}

describeConsole("the page of an object and that of an event", ({ open, startBed }) => {
  let bed: ConsoleBed;
  /** Ran, was out of memory once, and failed. */
  let subject: string;
  let failed: LoggedEvent;

  beforeAll(async () => {
    bed = await startBed();
    const { cluster } = bed.simulator;
    const [id = ""] = cluster.runJob({ id: "shop", groups: [{ name: "web", count: 1, tasks: ["main"] }] });
    subject = `allocations/default/${id}`;
    await historyOf(bed, subject, "allocation.running");
    cluster.restartTask(id, { exitCode: 137, signal: 9, oomKilled: true });
    await historyOf(bed, subject, "task.oom_killed");
    cluster.failAllocation(id, { exitCode: 2 });
    const events = await historyOf(bed, subject, "allocation.failed");
    const event = events.find(({ data }) => data.signals.includes("allocation.failed"));
    if (event === undefined) throw new Error("no event of the failure");
    failed = event;
  });

  it("shows of an event what changed, side by side and inline, and the ones beside it by key", async () => {
    const { page } = await open(bed, `#/event/${failed.cursor}`);
    const article = page.getByRole("article", { name: `Event ${failed.cursor}` });
    await article.getByRole("heading", { name: /shop\.web\[0\] failed/ }).waitFor();
    const row = article
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: "ClientStatus" }) });
    expect(await row.getByRole("cell").allInnerTexts()).toEqual([
      expect.stringContaining("running"),
      expect.stringContaining("failed"),
    ]);
    expect(await accessibilityFindings(page)).toEqual([]);
    await article.getByRole("button", { name: "Inline" }).click();
    await article
      .getByRole("listitem")
      .filter({ hasText: "ClientStatus" })
      .getByText("before: running")
      .waitFor();
    await page
      .getByRole("button", { name: /Before/ })
      .and(page.locator(":enabled"))
      .waitFor();
    await page.keyboard.press("[");
    await article.waitFor({ state: "detached" });
    await page.getByRole("heading", { name: /shop\.web\[0\] oom killed/ }).waitFor();
  });

  it("gives the CloudEvent to the last digit, what happened around it, and what subscribes to it", async () => {
    const { page } = await open(bed, `#/event/${failed.cursor}`);
    await page.getByRole("tab", { name: "CloudEvent" }).click();
    const shown = await page.getByLabel("The CloudEvent as JSON").innerText();
    const sent = await (await fetch(`${bed.url}/v1/events/${failed.cursor}`)).text();
    expect(shown.replaceAll(/\s/g, "")).toBe(sent.replaceAll(/\s/g, ""));
    await page.getByRole("tab", { name: /Around/ }).click();
    const around = page.getByRole("region", { name: "Around this event" });
    await around.getByText("this event", { exact: true }).waitFor();
    expect(await around.getByRole("listitem").count()).toBeGreaterThan(1);
    await page.getByRole("tab", { name: "Subscribe" }).click();
    const command = page.getByLabel("Command that subscribes");
    expect(await command.innerText()).toContain(`subjects=${subject}`);
    await page.getByRole("button", { name: "every allocation.failed" }).click();
    expect(await command.innerText()).toContain("signals=allocation.failed");
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it("leads from a value of an event to all events that have it", async () => {
    const { page } = await open(bed, `#/event/${failed.cursor}`);
    await page
      .getByRole("button", { name: "Only allocations with ClientStatus failed in the live page" })
      .click();
    await page.getByRole("link", { name: "Live" }).and(page.locator("[aria-current]")).waitFor();
    expect(new URLSearchParams(new URL(page.url()).hash.split("?")[1]).get("filter")).toBe(
      'ClientStatus == "failed"',
    );
  });

  it("draws the life of an allocation in lanes, and goes back in it event by event", async () => {
    const { page } = await open(bed, `#/object/${subject}`);
    const timeline = page.getByRole("region", { name: "Timeline" });
    await timeline.getByText("task: main").waitFor();
    await timeline
      .getByRole("button", { name: /main.*Exit Code: 137.*OOM Killed/ })
      .first()
      .waitFor();
    await page.getByRole("complementary", { name: "State now" }).getByText("Failed tasks").first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.keyboard.press("[");
    await page.keyboard.press("[");
    const then = page.getByRole("complementary", { name: "State then" });
    await then
      .getByRole("region", { name: "What changed" })
      .getByText("oom killed", { exact: true })
      .waitFor();
    await then.getByText("Tasks are running").first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.keyboard.press("n");
    await page.getByRole("complementary", { name: "State now" }).waitFor();
  });

  it("goes back by the slider, as who sees no lanes does", async () => {
    const { page } = await open(bed, `#/object/${subject}`);
    const slider = page.getByRole("slider", { name: "Moment that is shown" });
    await slider.focus();
    expect(await slider.getAttribute("aria-valuetext")).toBe("now");
    await page.keyboard.press("Home");
    await page.getByRole("complementary", { name: "State then" }).getByText("placed").first().waitFor();
    await slider.focus();
    await page.keyboard.press("End");
    await page.getByRole("complementary", { name: "State now" }).waitFor();
  });

  it("tells a history in words, and what led to what", async () => {
    const { page } = await open(bed, `#/object/${subject}`);
    await page.getByRole("tab", { name: "History" }).waitFor();
    await page.keyboard.press("h");
    const history = page.getByRole("region", { name: "History", exact: true });
    await history.getByText("Terminated: Exit Code: 137").first().waitFor();
    await page.keyboard.press("w");
    const graph = page.getByRole("region", { name: "Causes and effects" });
    await graph.getByRole("link", { name: /^job shop/ }).waitFor();
    await page
      .getByRole("region", { name: "Story" })
      .getByText("was killed because it used more memory than it may")
      .first()
      .waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it("keeps up with an object while it changes, and keeps its history when it is gone", async () => {
    const { cluster } = bed.simulator;
    cluster.runJob({ id: "short", groups: [{ name: "web", count: 1, tasks: ["main"] }] });
    await historyOf(bed, "jobs/default/short", "job.registered");
    const { page } = await open(bed, "#/object/jobs/default/short");
    await page.getByRole("complementary", { name: "State now" }).waitFor();
    cluster.purgeJob("default", "short");
    await page
      .getByRole("complementary", { name: "State now" })
      .getByText(/^Deleted/)
      .waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    const history = page.getByRole("region", { name: "History", exact: true });
    await history.getByText("registered").first().waitFor();
    expect(await history.getByRole("listitem").first().innerText()).toContain("purged");
  });

  it("says of what the feed does not know that it does not", async () => {
    const { page: ofObject } = await open(
      bed,
      "#/object/allocations/default/00000000-0000-0000-0000-000000000000",
    );
    await ofObject.getByText("Nothing is known of this allocation").waitFor();
    expect(await ofObject.getByRole("tab").count()).toBe(0);
    const { page: ofEvent, problems } = await open(bed, "#/event/other-1");
    problems.tolerate(/status of 4/);
    await ofEvent.getByText("This event is of another history").waitFor();
  });

  it("fits a phone", async () => {
    for (const hash of [`#/object/${subject}`, `#/event/${failed.cursor}`]) {
      const { page } = await open(bed, hash, { device: "phone", theme: "dark" });
      await page.getByRole("heading", { name: /shop\.web\[0\]/ }).waitFor();
      await page.getByRole("tab").first().waitFor();
      const beyond =
        "document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth";
      expect(await page.evaluate(beyond)).toBe(0);
      expect(await accessibilityFindings(page)).toEqual([]);
    }
  });
});
