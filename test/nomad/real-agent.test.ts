import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog, type SeenEvent } from "../support/feed-check.ts";
import { findNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";
import { followEventStream, type StreamedEvent } from "../support/nomad-event-stream.ts";
import { nomadTruth } from "../support/nomad-truth.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const found = await findNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
if (typeof found === "string") process.stderr.write(`${found}\n`);

/** Names nobody else on a shared cluster uses. */
const tag = `ncf-${process.pid}`;
const space = `${tag}-qa`;
const [web, crash, batch, late, doomed] = ["web", "crash", "batch", "late", "doomed"].map(
  (name) => `${tag}-${name}`,
) as [string, string, string, string, string];
const SLEEP = "exec sleep 3600";

/** The subject a streamed event is about; undefined for topics that the feed does not watch. */
function subjectOf(event: StreamedEvent): string | undefined {
  const resource = {
    Job: "jobs",
    Allocation: "allocations",
    Evaluation: "evaluations",
    Deployment: "deployments",
  }[event.topic];
  if (resource !== undefined) return `${resource}/${event.namespace}/${event.key}`;
  return event.topic === "Node" ? `nodes/-/${event.key}` : undefined;
}

describe.skipIf(typeof found === "string")(`a real Nomad agent (${origin})`, () => {
  let agent: NomadAgent;
  let directory: string;
  let file: string;
  let bridge: BridgeProcess;
  let nomad: NomadWriter;
  let stream: Awaited<ReturnType<typeof followEventStream>>;

  const start = (): BridgeProcess =>
    startBridgeProcess({
      nomadAddr: agent.address,
      feed: `sqlite:${file}`,
      flags: ["--baseline", "events", "--max-event-bytes", "10MiB"],
    });
  const events = (): Promise<SeenEvent[]> => readLog(file);
  const seen = (what: string, test: (event: SeenEvent) => boolean): Promise<SeenEvent> =>
    until(what, async () => (await events()).find(test), 60_000);
  const signal = (name: string, subject: string): Promise<SeenEvent> =>
    seen(`${name} of ${subject}`, (event) => event.signals.includes(name) && event.subject.includes(subject));
  const allocationSignal = (name: string, job: string): Promise<SeenEvent> =>
    seen(
      `${name} of an allocation of ${job}`,
      (event) => event.signals.includes(name) && event.after?.["JobID"] === job,
    );

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    directory = await mkdtemp(join(tmpdir(), "ncf-real-"));
    file = join(directory, "feed.db");
    nomad = new NomadWriter(agent.address);
    stream = await followEventStream(agent.address);
    bridge = start();
    await bridge.ready();
  });

  afterAll(async () => {
    if (typeof found === "string") return;
    stream.stop();
    await bridge.stop();
    for (const [job, namespace] of [
      [web, "default"],
      [crash, "default"],
      [batch, space],
      [late, space],
      [doomed, "default"],
    ] as const) {
      await nomad.stopJob(job, namespace, { purge: true }).catch(() => undefined);
    }
    await nomad.deleteNamespace(space).catch(() => undefined);
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("sees a namespace, and what runs in it from its first moment", async () => {
    await nomad.createNamespace(space);
    await nomad.registerJob({ id: batch, namespace: space, count: 1, command: "exit 0", type: "batch" });
    await signal("namespace.created", space);
    await signal("job.registered", `jobs/${space}/${batch}`);
    await allocationSignal("allocation.completed", batch);
    const baselines = (await events()).filter((event) => event.type === "nomad.feed.baseline");
    expect(baselines.map((event) => event.subject)).not.toContain(`feed/jobs/${space}`);
  });

  it("sees a service placed, running, healthy, and scaled", async () => {
    await nomad.registerJob({ id: web, namespace: "default", count: 2, command: SLEEP });
    await allocationSignal("allocation.running", web);
    await signal("deployment.succeeded", "deployments/default/");
    await nomad.scale(web, "default", 3);
    await until("three allocations run", async () => {
      const running = (await events()).filter(
        (event) => event.signals.includes("allocation.running") && event.after?.["JobID"] === web,
      );
      return new Set(running.map((event) => event.subject)).size === 3;
    });
  });

  it("sees a crashing task restarted and then failed", async () => {
    await nomad.registerJob({ id: crash, namespace: "default", count: 1, command: "exit 3", restarts: 1 });
    await allocationSignal("task.restarted", crash);
    const failed = await allocationSignal("allocation.failed", crash);
    expect(failed.severity).toBe("ERROR");
  });

  it("sees a restart that a user asked for", async () => {
    const running = await allocationSignal("allocation.running", web);
    await nomad.restartAllocation(running.key, "default");
    await allocationSignal("task.restarted", web);
  });

  it("sees a node drained and eligible again", async () => {
    const node = (await events()).find((event) => event.subject.startsWith("nodes/-/"));
    const id = node?.key ?? "";
    await nomad.drainNode(id);
    // A drain may begin and end between two polls at the list; either way it is said.
    await seen("the drain", (event) =>
      event.signals.some((name) => name === "node.draining" || name === "node.drain_complete"),
    );
    await nomad.endDrain(id);
    await signal("node.eligible", id);
  });

  it("catches up with what happened while it was killed, deletions included", async () => {
    await nomad.registerJob({ id: doomed, namespace: "default", count: 1, command: SLEEP });
    await allocationSignal("allocation.running", doomed);
    await bridge.kill();
    await nomad.registerJob({ id: late, namespace: space, count: 1, command: SLEEP });
    await nomad.stopJob(doomed, "default", { purge: true });
    bridge = start();
    await bridge.ready();
    const purged = await signal("job.purged", `jobs/default/${doomed}`);
    expect(purged.before?.["ID"]).toBe(doomed);
    const registered = await signal("job.registered", `jobs/${space}/${late}`);
    expect(registered.mode).toBe("catchup");
  });

  it("follows garbage collection and a namespace's end", async () => {
    await nomad.stopJob(late, space, { purge: true });
    await nomad.stopJob(batch, space, { purge: true });
    await nomad.stopJob(crash, "default", { purge: true });
    await nomad.collectGarbage();
    await until("the namespace can go", () =>
      nomad.deleteNamespace(space).then(
        () => true,
        () => nomad.collectGarbage().then(() => false as const),
      ),
    );
    await signal("namespace.deleted", space);
    await signal("job.purged", `jobs/default/${crash}`);
  });

  it("agrees with Nomad's own lists in the end, with an unbroken chain and no event twice", async () => {
    const verdict = await until("the folded log is what Nomad has", async () => {
      const truth = await nomadTruth(agent.address);
      const now = checkLog(await events(), truth);
      return now.lost.length === 0 ? now : undefined;
    }).catch(async () => checkLog(await events(), await nomadTruth(agent.address)));
    expect(verdict.lost).toEqual([]);
    expect(verdict.duplicated).toEqual([]);
    expect(verdict.outOfOrder).toEqual([]);
  });

  it("has an event for everything that Nomad's event stream spoke of", async () => {
    const log = await events();
    const subjects = new Set(log.map((event) => event.subject));
    // What lived and died within one gap, as the one while we were killed, is not promised.
    const streamed = stream.events.filter((event) => !event.key.includes(doomed));
    const missing = [...new Set(streamed.map(subjectOf))].filter(
      (subject) => subject !== undefined && !subjects.has(subject),
    );
    expect(streamed.length).toBeGreaterThan(20);
    expect(missing.filter((subject) => !shortLived(subject, stream.events))).toEqual([]);
  });
});

/** Whether an object existed for a single raft operation or two only, so that no list ever had to show it. */
function shortLived(subject: string | undefined, events: readonly StreamedEvent[]): boolean {
  const indexes = events.filter((event) => subjectOf(event) === subject).map((event) => event.index);
  return Math.max(...indexes) - Math.min(...indexes) <= 2;
}
