import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { assignmentsSchema } from "../../src/schemas/assignment-schema.ts";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const NOTHING_WRONG = { lost: [], duplicated: [], outOfOrder: [] };

describe.skipIf(missing !== undefined)(`workers as processes${skippedBecause(missing)}`, () => {
  let redis: RedisServer;
  let simulator: Simulator;
  let address: string;
  let workers: BridgeProcess[];

  const start = (...flags: string[]): BridgeProcess => {
    const all = ["--workers", "redis", "--baseline", "events", "--max-event-bytes", "10MiB", ...flags];
    const worker = startBridgeProcess({ nomadAddr: address, feed: redis.url, flags: all });
    workers.push(worker);
    return worker;
  };
  const assignmentsAt = async (worker: BridgeProcess): Promise<readonly AssignmentStatus[]> => {
    const response = await fetch(`${await worker.url()}/v1/assignments`).catch(() => undefined);
    return response?.ok === true ? assignmentsSchema.parse(await response.json()).assignments : [];
  };
  const isOf = (worker: BridgeProcess, assignment: AssignmentStatus) =>
    assignment.worker?.split("/")[1] === String(worker.child.pid);
  /** Waits until these and no others do all assignments evenly, and each scope is read. */
  const share = (...those: BridgeProcess[]) =>
    until(`${those.length} workers share the assignments`, async () => {
      const [one] = those;
      const assignments = one === undefined ? [] : await assignmentsAt(one);
      const sizes = those.map(
        (worker) => assignments.filter((assignment) => isOf(worker, assignment)).length,
      );
      const all = sizes.reduce((sum, size) => sum + size, 0);
      const well = assignments.every(({ condition }) => condition === "ok" || condition === null);
      const even = Math.max(...sizes) - Math.min(...sizes) <= 1;
      return assignments.length > 6 && all === assignments.length && well && even && assignments;
    });
  const caughtUp = () =>
    until("the log is what the cluster has", async () => {
      const verdict = checkLog(await readLog({ kind: "redis", url: redis.url }), simulatorTruth(simulator));
      return verdict.lost.length === 0 && verdict;
    });
  /** Who of these, all of which live, plans. */
  const planner = (those: readonly BridgeProcess[]) =>
    until("somebody plans", async () => {
      const [one] = those;
      const assignments = one === undefined ? [] : await assignmentsAt(one);
      const plan = assignments.find(({ assignment }) => assignment === "plan");
      return those.find((worker) => plan !== undefined && isOf(worker, plan));
    });
  /** What an operator reads at a worker. */
  const metricAt = async (worker: BridgeProcess, name: string) => {
    const text = await (await fetch(`${await worker.url()}/metrics`)).text();
    return Number(new RegExp(`^nomad_changefeed_${name} (\\d+)$`, "m").exec(text)?.[1]);
  };
  const sumOf = async (those: readonly BridgeProcess[], name: string) =>
    (await Promise.all(those.map((worker) => metricAt(worker, name)))).reduce((sum, value) => sum + value, 0);
  const othersThan = (gone: BridgeProcess) => workers.filter((worker) => worker !== gone);

  beforeEach(async () => {
    redis = await RedisServer.start("--appendonly", "yes");
    simulator = createSimulator({ seed: 9, allocations: 40, namespaces: 3 });
    address = await simulator.listen();
    workers = [];
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await simulator.close();
    await redis[Symbol.asyncDispose]();
  });

  it("one that is killed while it plans: the others watch all of it, and namespaces come and go", async () => {
    for (let count = 0; count < 3; count += 1) start();
    await share(...workers);
    simulator.churn(50);
    const dead = await planner(workers);
    // The churn may bring another one between the two questions.
    const before = await until("each assignment is held by one worker", async () => {
      const shared = await share(...workers);
      return (await sumOf(workers, "assignments_held")) === shared.length && shared;
    });
    const kept = before.filter((assignment) => !isOf(dead, assignment));
    expect(await sumOf(workers, "takeovers_total")).toBe(0);
    expect(await sumOf(workers, "workers_alive")).toBe(9);
    await dead.kill();
    simulator.churn(50);
    const left = othersThan(dead);
    const after = await share(...left);
    // What the others did already, they went on with: not even the plan's move made them begin anew.
    for (const { assignment, worker, since } of kept) {
      expect(after).toContainEqual(expect.objectContaining({ assignment, worker, since }));
    }

    // One for each assignment that was taken from a silent worker: the dead one's, and none twice without a word of it.
    const fromSilent = left
      .flatMap(({ lines }) => lines)
      .filter(({ msg }) => msg.endsWith("of a silent worker now go to others"))
      .flatMap(({ assignments }) => assignments as readonly string[]);
    const takeovers = await sumOf(left, "takeovers_total");
    expect(takeovers).toBeGreaterThanOrEqual(before.length - kept.length);
    expect(takeovers).toBeLessThanOrEqual(fromSilent.length);
    const ofDead = before.filter((assignment) => isOf(dead, assignment)).map(({ assignment }) => assignment);
    expect(fromSilent).toEqual(expect.arrayContaining(ofDead));
    await until(
      "each assignment is held once",
      async () => (await sumOf(left, "assignments_held")) === after.length,
    );
    await until("both know of each other alone", async () => (await sumOf(left, "workers_alive")) === 4);
    await caughtUp();

    simulator.cluster.createNamespace("fresh");
    const [one] = left;
    const scopes = async () =>
      (one === undefined ? [] : await assignmentsAt(one)).map(({ assignment }) => assignment);
    await until("the new namespace is watched", async () => (await scopes()).includes("jobs/fresh"));
    await share(...left);
    simulator.cluster.deleteNamespace("fresh");
    await until("it is watched no more", async () => !(await scopes()).join().includes("/fresh"));

    const leaving = await planner(left);
    expect(await leaving.stop()).toBe(0);
    simulator.churn(50);
    await share(...othersThan(dead).filter((worker) => worker !== leaving));
    expect(await caughtUp()).toMatchObject(NOTHING_WRONG);
    const restarts = left.flatMap(({ lines }) => lines).filter(({ msg }) => msg.includes("stopped watching"));
    expect(restarts).toEqual([]);
  });

  it("one that sleeps for longer than its locks writes nothing when it wakes, and takes part again", async () => {
    for (let count = 0; count < 3; count += 1) start("--worker-timeout", "2s");
    await share(...workers);
    const asleep = await planner(workers);
    asleep.child.kill("SIGSTOP");
    const others = othersThan(asleep);
    await share(...others);
    simulator.churn(80);
    await caughtUp();
    // It wakes up with changes to tell that others have told.
    asleep.child.kill("SIGCONT");
    simulator.churn(40);
    await share(...workers);
    expect(asleep.log()).toContain("this worker was silent for too long");
    simulator.churn(40);
    expect(await caughtUp()).toMatchObject(NOTHING_WRONG);
  });

  it("all go on when Redis stands still, and when it is killed; each names the cause once", async () => {
    for (let count = 0; count < 3; count += 1) start("--worker-timeout", "2s");
    await share(...workers);
    const before = workers.map(({ lines }) => lines.length);
    const haveNoticed = (outages: number) =>
      until(`all have noticed ${outages} outages`, () =>
        workers.every(({ lines }) => {
          const lost = lines.filter(({ msg }) => msg.includes("lost the connection to Redis"));
          return lost.length === outages;
        }),
      );
    redis.signal("SIGSTOP");
    simulator.churn(30);
    await haveNoticed(1);
    redis.signal("SIGCONT");
    await share(...workers);
    await caughtUp();
    const reconnects = () => Promise.all(workers.map((worker) => metricAt(worker, "redis_reconnects_total")));
    const soFar = await reconnects();
    await redis.kill();
    simulator.churn(30);
    await haveNoticed(2);
    await redis.start();
    await share(...workers);
    for (const [n, count] of (await reconnects()).entries()) expect(count).toBeGreaterThan(soFar[n] ?? 0);
    simulator.churn(30);
    expect(await caughtUp()).toMatchObject(NOTHING_WRONG);
    for (const [n, { lines }] of workers.entries()) {
      const loud = lines.slice(before[n]).filter(({ level }) => level === "warn" || level === "error");
      const times = Map.groupBy(loud, ({ msg }) => msg);
      // Once for each of the two outages.
      expect([...times.values()].filter((same) => same.length > 2)).toEqual([]);
    }
    redis.signal("SIGSTOP");
    expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0, 0]);
    redis.signal("SIGCONT");
  });
});
