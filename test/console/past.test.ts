import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

interface LoggedEvent {
  readonly cursor: string;
  readonly subject: string;
  readonly recordedtime: string;
  readonly data: { readonly signals: readonly string[] };
}

describeConsole("a page as of another time", ({ open, startBed }) => {
  let bed: ConsoleBed;
  /** Of a job that was registered, changed and purged. */
  let deployment: string;
  /** Before the first version, while there was one, after all was gone. */
  const cursors = { before: "", within: "", after: "" };

  async function events(query: string): Promise<LoggedEvent[]> {
    const answer = await fetch(`${bed.url}/v1/history?order=oldest-first&${query}`);
    return (await answer.json()) as LoggedEvent[];
  }
  const first = (query: string) => until(query, async () => (await events(query))[0]);
  const head = async () =>
    ((await (await fetch(`${bed.url}/v1/about`)).json()) as { feed: { head: string } }).feed.head;

  beforeAll(async () => {
    bed = await startBed();
    const { cluster } = bed.simulator;
    cursors.before = await head();
    cluster.runJob({ id: "short", groups: [{ name: "web", count: 1, tasks: ["main"] }] });
    const made = await first("job=short&signal=deployment.started");
    deployment = made.subject;
    const { cursor } = await first("job=short&signal=allocation.running");
    cursors.within = cursor;
    cluster.purgeJob("default", "short");
    const gone = await first("job=short&signal=deployment.gone");
    cursors.after = gone.cursor;
  });

  const at = (cursor: string) => `#/${deployment}?at=${cursor}`;

  it("tells of a deployment what it was then, not what became of it", async () => {
    const { page, problems } = await open(bed, `#/${deployment}`);
    // Nomad has the job's versions no longer.
    problems.tolerate(/job-versions/);
    await page.getByText("Nomad has removed it since; this is how it was last.").waitFor();

    await page.goto(`${bed.url}/${at(cursors.after)}`);
    await page.getByText("Nomad had removed it by then; this is how it was last.").waitFor();

    await page.goto(`${bed.url}/${at(cursors.within)}`);
    await page.getByRole("heading", { name: "short version 0" }).waitFor();
    await page.getByText("As of").first().waitFor();
    expect(await page.getByText("removed it").count()).toBe(0);
    const steps = page.getByRole("list", { name: "Steps of the deployment" });
    await steps.getByText("deployment began").waitFor();
    expect(await steps.getByText("gone").count()).toBe(0);

    await page.goto(`${bed.url}/${at(cursors.before)}`);
    await page.getByText("There was no such deployment then").waitFor();
  });

  it("tells of a job how what belongs to it was then, and what its versions changed", async () => {
    const { cluster } = bed.simulator;
    const group = { name: "web", count: 1, tasks: ["main"] };
    cluster.runJob({ id: "long", groups: [group] });
    const { subject, cursor } = await first("job=long&signal=deployment.started");
    cluster.updateDeployment(subject.split("/")[2] ?? "", { Status: "successful" });
    await first("job=long&signal=deployment.succeeded");
    cluster.runJob({ id: "long", groups: [{ ...group, count: 2 }] });
    await first("job=long&signal=job.updated");

    const { page } = await open(bed, "#/object/jobs/default/long");
    const now = page.getByRole("region", { name: "Hangs together with" }).getByRole("listitem");
    await now.filter({ hasText: "version 0" }).getByText("successful").waitFor();
    await page.keyboard.press("v");
    const versions = page.getByRole("region", { name: "Specification" });
    await versions.getByText("version 1", { exact: true }).waitFor();
    await versions.getByText("TaskGroups › web › Count").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);

    await page.goto(`${bed.url}/#/object/jobs/default/long?at=${cursor}&view=versions`);
    const then = page.getByRole("region", { name: "Hung together with, then" }).getByRole("listitem");
    await then.filter({ hasText: "version 0" }).getByText("running").waitFor();
    expect(await then.filter({ hasText: "version 1" }).count()).toBe(0);
    await versions.getByText("1 version", { exact: true }).waitFor();
    await versions.getByText("Those submitted later are left out").waitFor();
  });

  it("counts and lists live events up to the event of a cursor", async () => {
    const { page } = await open(bed, `#/live?at=${cursors.within}`);
    const names = page.locator("[aria-setsize] a .visually-hidden");
    await until("the event of the cursor is the newest", async () => {
      const [newest = ""] = await names.allTextContents();
      return newest.startsWith(`Event ${cursors.within}`);
    });
    const histogram = page.getByRole("figure", { name: /Events over time/ });
    await histogram.waitFor();
    await page.getByRole("status").filter({ hasText: "The past" }).waitFor();
    const { recordedtime } = await first("job=short&signal=allocation.running");
    const upTo = new Date(Date.parse(recordedtime) + 1).toISOString();
    const counted = (await (
      await fetch(`${bed.url}/v1/counts?until=${upTo}&since=1970-01-01T00:00:00Z`)
    ).json()) as { total: number };
    expect(counted.total).toBeGreaterThan(10);
    await histogram.getByText(`${counted.total} events in 30 min`).waitFor();
  });

  it("says of a time that nobody can tell that it is none", async () => {
    const { page, problems } = await open(bed, "#/cluster?at=other-1");
    problems.tolerate(/status of 4/);
    const flapping = page.getByRole("region", { name: "Flapping" });
    await flapping.getByText("It cannot be told when that was.").waitFor();
    expect(await page.getByRole("region", { name: "Nodes" }).getByRole("listitem").count()).toBe(0);
  });
});
