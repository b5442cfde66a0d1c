import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

describeConsole("an event with what was found out beside the lists", ({ open, startBed }) => {
  let bed: ConsoleBed;
  let allocation = "";

  const cursorOf = (query: string) =>
    until(query, async () => {
      const answer = await fetch(`${bed.url}/v1/history?order=oldest-first&${query}`);
      return ((await answer.json()) as { readonly cursor: string }[]).at(-1)?.cursor;
    });

  beforeAll(async () => {
    bed = await startBed({ simulator: { allocations: 0 }, flags: { enrich: "spec,logs,node" } });
    [allocation = ""] = bed.simulator.cluster.runJob({ id: "web" });
    await cursorOf(`subject=allocations/default/${allocation}`);
  });

  it("shows what a version changed, also one that no poll saw, with no secret", async () => {
    const { cluster } = bed.simulator;
    cluster.scaleJob("default", "web", "web", 4);
    cluster.registerJob({ id: "web", datacenters: ["dc1", "dc2"] });
    const [cursor, before] = await until("the newest version is told", async () => {
      const answer = await fetch(`${bed.url}/v1/history?subject=jobs/default/web`);
      const events = (await answer.json()) as { cursor: string; data: { spec?: { version?: number } } }[];
      const [of2, of1] = [2, 1].map((wanted) => events.find(({ data }) => data.spec?.version === wanted));
      return of2 && of1 && [of2.cursor, of1.cursor];
    });
    const { page } = await open(bed, `#/event/${cursor}`);
    const newest = page.getByRole("region", { name: "What version 2 changed" });
    await newest.getByText("dc2").waitFor();
    expect(await newest.getByText("changed; both values are redacted").count()).toBeGreaterThan(0);
    const { page: other } = await open(bed, `#/event/${before}`);
    await other.getByText("No poll saw this version").waitFor();
    await other.getByText(/version 1, overtaken: Count \d+ → 4/).waitFor();
    const skipped = other.getByRole("region", { name: "What version 1 changed" });
    expect(await skipped.getByText("Count").count()).toBe(1);
    await other.getByText("how the job was then is not known").waitFor();
    expect(await accessibilityFindings(other)).toEqual([]);
    const { page: job } = await open(bed, `#/object/jobs/default/web?view=history&at=${before}`);
    await job.getByRole("region", { name: "History" }).getByText("version 1, overtaken").waitFor();
    await job.getByRole("complementary", { name: "State then" }).getByText("running").first().waitFor();
  });

  it("shows what a node says of itself", async () => {
    const { cluster } = bed.simulator;
    const id = cluster.registerNode();
    await cursorOf(`subject=nodes/-/${id}`);
    cluster.setNodeStatus(id, "down");
    const cursor = await cursorOf(`subject=nodes/-/${id}&signal=node.down`);
    const { page } = await open(bed, `#/event/${cursor}`);
    const details = page.getByRole("region", { name: "What the node says of itself" });
    await details.getByText("Node heartbeat missed").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it("shows what a task wrote before it failed, and how it ended", async () => {
    bed.simulator.cluster.failAllocation(allocation, { exitCode: 137, signal: 9 });
    const cursor = await cursorOf(`subject=allocations/default/${allocation}&signal=allocation.failed`);
    const { page } = await open(bed, `#/event/${cursor}`);
    const log = page.getByRole("region", { name: /wrote last to stderr/ });
    await log.getByText("fatal: connect").waitFor();
    expect(await log.getByText("exit code 137, signal 9").count()).toBe(1);
  });
});
