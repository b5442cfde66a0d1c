import { encoding } from "../src/alerts/document.ts";
import { AlertFold } from "../src/alerts/fold.ts";
import { RuleSet } from "../src/alerts/rules/rule-set.ts";
import { setTimeout as delay } from "node:timers/promises";
import { RULES } from "../src/alerts/rules/table.ts";
import type { LogEntry } from "../src/schemas/draft.ts";
import { alertmanagerSettingsSchema } from "../src/schemas/destinations/alertmanager.ts";
import { systemClock } from "../src/shared/clock.ts";
import { buildChangeEvents } from "../src/events/build.ts";
import type { AlertReplica } from "../src/publishers/alerting/alert-replica.ts";
import { Alerting } from "../src/publishers/alerting/alerting.ts";
import type { SendResult } from "../src/publishers/delivery/destination.ts";
import { createFanout } from "../src/publishers/fanout/fanout.ts";
import type { AssignmentStatus } from "../src/schemas/assignment-schema.ts";
import { silentLogger } from "../src/telemetry/logger.ts";
import { SOURCE } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { until } from "../test/support/until.ts";
import { changeOf, contextOf, SAMPLES } from "../test/support/event-fixtures.ts";
import { loggedEvents } from "../test/support/logged-events.ts";
import { whole } from "../test/support/whole-text.ts";
import { median, type BenchRow } from "./harness.ts";

const ALLOCATIONS = 2000;
const ROUNDS = 9;
const FIRING = 1000;
const BEGIN_MS = Date.parse("2026-11-29T03:00:00Z");

const rows: readonly BenchRow[] = [
  {
    name: "alert-fold",
    unit: "ns of CPU time per event of 3 KB: starts, restarts, failures and replacements of allocations in 200 groups",
    goal: "at most 5000",
    against: "JSON.parse of every event",
    run: async () => measureFold(),
  },
  {
    name: "alert-memory",
    unit: `bytes per thousand firing alerts, of a group each`,
    goal: "at most 8000000",
    against: "the document that is kept of them",
    run: async () => measureMemory(),
  },
  {
    name: "alert-latency",
    unit: "ms from before the commit of a deployment that failed until its alert is told, median of 50",
    goal: "at most 50",
    against: "the same commit alone",
    run: measureLatency,
  },
];

export default rows;

/** Further apart than what fires is written at most. */
const BETWEEN_MS = 250;
const ALERTS = 50;

async function measureLatency(): Promise<{ value: number; against: number }> {
  await using feed = await TestFeed.open();
  const { log, metrics } = feed;
  const logger = silentLogger();
  const replica = new Sink();
  const alerting = new Alerting({
    ...createFanout({ log, metrics, logger, clock: systemClock }),
    log,
    metrics,
    logger,
    clock: systemClock,
    metricsMaxJobs: 1000,
    random: Math.random,
    source: SOURCE,
    worker: "bench",
    assignments: async () => [scopeRead()],
    open: async () => [replica],
    notify: () => Promise.reject(new Error("nobody is told by messages")),
    silences: async () => [],
  });
  const settings = alertmanagerSettingsSchema.parse({ type: "alertmanager", urls: ["http://am:9093"] });
  const alertDestinations = [{ name: "am", line: 1, settings, fingerprint: "" }];
  alerting.configure({ alerts: { rules: RULES }, alertDestinations, routes: [] });
  const stop = new AbortController();
  const ending = alerting.perform("alerts", stop.signal);
  await until("it is told", () => replica.sends > 0);
  const told: number[] = [];
  const committed: number[] = [];
  for (let number = 0; number < ALERTS; number++) {
    await delay(BETWEEN_MS);
    const sent = replica.next();
    const begin = performance.now();
    const change = changeOf("deployments", undefined, failedDeployment(number));
    await feed.commit(...buildChangeEvents(change, contextOf()));
    committed.push(performance.now() - begin);
    told.push((await sent) - begin);
  }
  stop.abort();
  await ending;
  return { value: median(told), against: median(committed) };
}

/** Says when it is told. */
class Sink implements AlertReplica {
  readonly target = "http://am:9093";
  readonly resendMs = 3_600_000;
  sends = 0;
  #next = Promise.withResolvers<number>();

  /** When it is told next. */
  next(): Promise<number> {
    this.#next = Promise.withResolvers();
    return this.#next.promise;
  }

  async send(): Promise<SendResult> {
    this.sends += 1;
    this.#next.resolve(performance.now());
    return { outcome: "ok" };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function scopeRead(): AssignmentStatus {
  const place = { assignment: "deployments/*", state: "held", worker: "bench", since: null } as const;
  const nothing = { reading: null, reason: null, index: null, objects: null, lagMs: 0 };
  return { ...place, ...nothing, condition: "ok", lastOkAt: new Date(Date.now() + 1000).toISOString() };
}

function failedDeployment(number: number): object {
  return {
    ...SAMPLES.deployments,
    ID: `7df0c922-795b-2734-2f4b-${String(number).padStart(12, "0")}`,
    JobID: `web-${number}`,
    Status: "failed",
  };
}
function measureFold(): { value: number; against: number } {
  const events = lives(ALLOCATIONS);
  const folded: number[] = [];
  const parsed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    folded.push(nsPer(events, (fold, event) => fold.apply(event)));
    parsed.push(nsPer(events, (_fold, event) => void JSON.parse(event.json)));
  }
  return { value: median(folded), against: median(parsed) };
}

function nsPer(events: readonly LogEntry[], work: (fold: AlertFold, event: LogEntry) => void): number {
  const fold = new AlertFold(new RuleSet(RULES));
  const begin = ownMs();
  for (const event of events) work(fold, event);
  return ((ownMs() - begin) * 1e6) / events.length;
}

/** What this thread has worked: whoever else works on the machine at the same time does not count. */
function ownMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Each allocation is placed, starts, gets healthy and runs; one of four restarts, one of twenty fails and is replaced. */
function lives(count: number): LogEntry[] {
  const steps = Array.from({ length: count }, (_, number) => stepsOf(number));
  const most = Math.max(...steps.map(({ length }) => length));
  const changes = Array.from({ length: most }, (_, step) =>
    steps.flatMap((all) => {
      const after = all[step];
      return after === undefined ? [] : [changeOf("allocations", all[step - 1], after)];
    }),
  ).flat();
  return changes.flatMap((change, position) => loggedEvents(change, BEGIN_MS + position * 10, position));
}

function stepsOf(number: number): object[] {
  const running = allocation(number, { ClientStatus: "running" });
  const steps = [
    allocation(number, { ClientStatus: "pending" }),
    running,
    { ...running, DeploymentStatus: { Healthy: true } },
    { ...running, DeploymentStatus: { Healthy: true }, ClientDescription: "Tasks are running" },
  ];
  if (number % 4 === 0) steps.push({ ...running, TaskStates: tasks(10, { Restarts: 1 }) });
  if (number % 20 !== 0) return steps;
  const failed = {
    ...running,
    ClientStatus: "failed",
    TaskStates: tasks(11, { Failed: true, State: "dead" }),
  };
  return [...steps, failed, { ...failed, DesiredStatus: "stop" }];
}

function allocation(number: number, fields: object): object {
  return {
    ID: `5456bd7a-9fc0-c0dd-6131-${String(number).padStart(12, "0")}`,
    Namespace: "default",
    Name: `web-${number % 200}.frontend[${number}]`,
    JobID: `web-${number % 200}`,
    JobType: "service",
    JobVersion: 3,
    TaskGroup: "frontend",
    NodeID: `fb2170a8-257d-3c64-b14d-${String(number % 50).padStart(12, "0")}`,
    NodeName: `worker-${number % 50}`,
    DesiredStatus: "run",
    ClientDescription: "",
    DeploymentStatus: null,
    RescheduleTracker: null,
    TaskStates: tasks(9, {}),
    CreateIndex: 1000 + number,
    ...fields,
  };
}

/** A ring of ten events, as an allocation that lived for a while has it. */
function tasks(newest: number, fields: object): object {
  const Events = Array.from({ length: 10 }, (_, position) => ({
    Type: position === 9 && newest > 9 ? "Terminated" : "Started",
    Time: newest - 9 + position,
    Message: "",
    DisplayMessage: "Task started by client, on a node whose name is not short",
    Details: { exit_code: "1", oom_killed: "false" },
  }));
  return { main: { State: "running", Failed: false, Restarts: 0, ...fields, Events } };
}

function measureMemory(): { value: number; against: number } {
  const events = Array.from({ length: FIRING }, (_, number) => {
    const failed = {
      JobID: `job-${number}`,
      ClientStatus: "failed",
      TaskStates: tasks(11, { Failed: true }),
    };
    return loggedEvents(changeOf("allocations", undefined, allocation(number, failed)), BEGIN_MS, number);
  }).flat();
  const before = heapBytes();
  const fold = new AlertFold(new RuleSet(RULES));
  for (const event of events) fold.apply(event);
  fold.tick(BEGIN_MS + 120_000);
  const bytes = heapBytes() - before;
  const firing = fold.open.filter(({ state }) => state === "firing").length;
  if (firing !== FIRING) throw new Error(`${firing} alerts fire`);
  return { value: bytes, against: Buffer.byteLength(whole(encoding(fold.state, Number.POSITIVE_INFINITY))) };
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc, as npm run bench does");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
