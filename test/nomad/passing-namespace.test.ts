import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog, settledVerdict, type SeenEvent } from "../support/feed-check.ts";
import { findNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";
import { nomadTruth } from "../support/nomad-truth.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const found = await findNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
if (typeof found === "string") process.stderr.write(`${found}\n`);

/** Names nobody else on a shared cluster uses. */
const tag = `ncf-${process.pid}`;
const space = `${tag}-passing`;
const [batch, system] = [`${tag}-batch`, `${tag}-system`];

describe.skipIf(typeof found === "string")(`namespaces of a real Nomad that come and go (${origin})`, () => {
  let agent: NomadAgent;
  let directory: string;
  let file: string;
  let bridge: BridgeProcess;
  let nomad: NomadWriter;

  const start = async (): Promise<void> => {
    const flags = ["--baseline", "events", "--max-event-bytes", "10MiB"];
    bridge = startBridgeProcess({ nomadAddr: agent.address, feed: `sqlite:${file}`, flags });
    await bridge.ready();
  };
  const events = (): Promise<SeenEvent[]> => readLog(file);
  const ofSpace = async (...ops: string[]): Promise<SeenEvent[]> =>
    (await events()).filter(
      (event) => event.subject.split("/")[1] === space && ops.includes(event.op ?? "none"),
    );
  const left = async (): Promise<string[]> =>
    [...(await nomadTruth(agent.address)).keys()].filter((subject) => subject.split("/")[1] === space);
  const agreed = async (): Promise<void> => {
    const verdict = await settledVerdict(
      async () => checkLog(await events(), await nomadTruth(agent.address)),
      60_000,
    );
    expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
  };
  /** A batch and a system job run in the namespace, are purged, and it is deleted. */
  const comeAndGo = async (): Promise<void> => {
    await nomad.createNamespace(space);
    await nomad.registerJob({ id: batch, namespace: space, count: 1, command: "exit 0", type: "batch" });
    await nomad.registerJob({
      id: system,
      namespace: space,
      count: 1,
      command: "exec sleep 3600",
      type: "system",
    });
    for (const job of [batch, system]) await nomad.stopJob(job, space, { purge: true });
    await until("Nomad deletes the namespace", isDeleted);
  };
  /** Nomad keeps it until it knows that its allocations have ended. */
  const isDeleted = async (): Promise<boolean> => {
    try {
      await nomad.deleteNamespace(space);
      return true;
    } catch (error) {
      if (!String(error).includes("has non-terminal allocations")) throw error;
      return false;
    }
  };

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    directory = await mkdtemp(join(tmpdir(), "ncf-passing-"));
    file = join(directory, "feed.db");
    nomad = new NomadWriter(agent.address);
    await start();
  });

  afterAll(async () => {
    if (typeof found === "string") return;
    await bridge.stop();
    await nomad.deleteNamespace(space).catch(() => undefined);
    await nomad.collectGarbage();
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("leave what they left in the feed, though no bridge ran while they were there", async () => {
    await bridge.stop();
    await comeAndGo();
    const before = await left();
    expect(before.length).toBeGreaterThan(2);
    await start();
    await agreed();
    const told = (await ofSpace("create")).map((event) => event.subject);
    expect(new Set(told).size).toBe(told.length);
    expect(before.filter((subject) => !told.includes(subject))).toEqual([]);
  });

  it("come again under the same name, with the leftovers of the former one and no resync", async () => {
    const before = await left();
    await nomad.createNamespace(space);
    await nomad.registerJob({ id: batch, namespace: space, count: 1, command: "exit 0", type: "batch" });
    await until("the job's evaluation", async () => (await left()).length > before.length);
    await agreed();
    await nomad.stopJob(batch, space, { purge: true });
    await until("Nomad deletes the namespace", isDeleted);
    await agreed();
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
  });

  it("come and go between two polls, while the bridge runs", async () => {
    const before = await left();
    await comeAndGo();
    await agreed();
    expect((await left()).length).toBeGreaterThan(before.length);
  });

  it("are told deleted to the last object when Nomad collects what they left", async () => {
    const before = await left();
    expect(before.length).toBeGreaterThan(0);
    await until("nothing is left", async () => {
      await nomad.collectGarbage();
      return (await left()).length === 0;
    });
    await agreed();
    const deleted = new Set((await ofSpace("delete")).map((event) => event.subject));
    expect(before.filter((subject) => !deleted.has(subject))).toEqual([]);
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
  });
});
