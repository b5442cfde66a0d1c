import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepWithin } from "../../src/feed/retention.ts";
import { Deliveries } from "../../src/publishers/delivery/deliveries.ts";
import type { SendResult } from "../../src/publishers/delivery/destination.ts";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import type { DestinationConfig } from "../../src/schemas/destinations/index.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { LogContext, type OpenLog } from "../contract/log-context.ts";
import { DELIVERY_OPTIONS } from "../support/delivery-rig.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { redisLogsOf } from "../support/redis-logs.ts";
import { ScriptedDestination } from "../support/scripted-destination.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { TestClock } from "../support/test-clock.ts";
import { untilBy } from "../support/until.ts";

const { redisUrl, missing } = await sharedRedis();
const SOURCE = "nomad://test/global";
const DOWN: SendResult = { outcome: "retry", reason: "it is down" };
const ROUND_MS = 30_000;

const TRAIL: DestinationConfig = {
  ...DELIVERY_OPTIONS,
  name: "trail",
  line: 1,
  settings: { type: "stdout" } as DestinationConfig["settings"],
  ordering: "strict",
  inFlight: 1,
  retry: { firstMs: 20, mostMs: 50 },
  fingerprint: "first",
};

function waitsFor(open: OpenLog): void {
  const t = new LogContext(open);
  const clock = new TestClock();
  const round = untilBy(clock, ROUND_MS);
  let trail: ScriptedDestination;
  let deliveries: Deliveries;
  let metrics: ReturnType<typeof createMetrics>;
  let lines: string[];
  let stop: AbortController;
  let work: Promise<unknown>[];

  /** Keeps ten events, or twice as many while it waits, of whom `by` knows what the destination has. */
  function retain(by: Deliveries): void {
    const recording = recordingLogger();
    lines = recording.lines;
    const after = { name: "trail", through: () => by.through("trail") };
    const deps = { logger: recording.logger, metrics, clock, signal: stop.signal, after };
    work.push(keepWithin(t.log, { maxEvents: 10 }, deps));
  }

  function worker(name: string): Deliveries {
    const deps = { log: t.log, metrics, logger: silentLogger(), clock: systemClock };
    const own = { worker: name, source: SOURCE, random: () => 0.5, open: async () => trail };
    const made = new Deliveries({ ...deps, ...createFanout(deps), ...own });
    made.configure([TRAIL]);
    return made;
  }

  const floorIs = (floor: number) =>
    round(`the floor is ${floor}`, async () => (await t.log.head()).floor === floor);
  const says = (part: string) => round(part, () => lines.some((line) => line.includes(part)));
  const metric = async (name: "retentionWaiting" | "retentionOvertaken") =>
    (await metrics[name].get()).values[0]?.value;

  beforeEach(async () => {
    await t.open();
    trail = new ScriptedDestination(() => DOWN);
    metrics = createMetrics();
    stop = new AbortController();
    work = [];
    deliveries = worker("one");
  });
  afterEach(async () => {
    stop.abort();
    await Promise.all(work);
    await t.under.dispose();
  });

  it("keeps what the destination has not got, whichever worker delivers, and goes on when it has", async () => {
    await t.appendMany(15);
    retain(worker("another"));
    work.push(deliveries.perform("deliver/trail", stop.signal));
    await says("retention waits for the destination trail (--retention-after)");
    expect((await t.log.head()).floor).toBe(0);
    expect(await metric("retentionWaiting")).toBe(1);
    trail.answer = ([event]) => (event?.sequence === 4 ? DOWN : { outcome: "ok" });
    await floorIs(3);
    trail.answer = () => ({ outcome: "ok" });
    await floorIs(5);
    await says("no longer");
    expect(await metric("retentionWaiting")).toBe(0);
    expect(await metric("retentionOvertaken")).toBe(0);
    expect(lines.filter((line) => line.includes("trail"))).toHaveLength(2);
  });

  it("goes on at twice the limit, says how many events the destination never gets, and tells it of the gap", async () => {
    await t.appendMany(3);
    trail.answer = () => ({ outcome: "ok" });
    const away = new AbortController();
    const first = deliveries.perform("deliver/trail", away.signal);
    await round("it has three", async () => (await deliveries.through("trail")) === 3);
    away.abort();
    await first;
    await t.appendMany(27);
    retain(deliveries);
    await floorIs(10);
    await says("the log is at twice its limits: retention removes events that the destination trail");
    expect(await metric("retentionOvertaken")).toBe(7);
    work.push(worker("another").perform("deliver/trail", stop.signal));
    await floorIs(20);
    expect(trail.sends.flat().map(({ sequence }) => sequence)).toEqual([
      1,
      2,
      3,
      null,
      ...Array.from({ length: 20 }, (_, n) => n + 11),
    ]);
  });

  it("waits for nobody once the configuration has the destination no more, and says so", async () => {
    await t.appendMany(15);
    retain(deliveries);
    await says("retention waits");
    deliveries.configure([]);
    await says("the configuration has it no more");
    await floorIs(5);
    expect(await metric("retentionWaiting")).toBe(0);
  });
}

describe("retention that waits for a destination, of a log in SQLite", () => {
  waitsFor(openTemporarySqliteLog);
});

describe.skipIf(redisUrl === undefined)(
  `retention that waits for a destination, of a log in Redis${missing}`,
  () => {
    waitsFor(redisLogsOf(redisUrl ?? "", { prefix: `after-${Date.now().toString(36)}` }));
  },
);
