import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectRedis } from "../../src/feed/redis/inspect.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { checkAgainstModel } from "../contract/feed-log-model.ts";
import { feedLogContract } from "../contract/feed-log.ts";
import { planOf, TestHolder } from "../support/assignment-holders.ts";
import { expectTakenOver, SteadyWriter } from "../support/redis-commits.ts";
import { openAssignments, openTestLog, openTestLogToRead, redisLogsOf } from "../support/redis-logs.ts";
import { startSentinelTrio, type SentinelTrio } from "../support/redis-sentinels.ts";
import { redisMissing } from "../support/redis-server.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

describe.skipIf(missing !== undefined)(`behind three Sentinels${title}`, () => {
  let trio: SentinelTrio;
  beforeAll(async () => {
    trio = await startSentinelTrio();
  });
  afterAll(() => trio?.[Symbol.asyncDispose]());
  const open = redisLogsOf(() => trio.url, { prefix: "contract" });

  feedLogContract("Redis", open);

  test("the log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 20)).resolves.toBeUndefined();
  });

  test("doctor's report names the product; a Sentinel itself is no log", async () => {
    expect(await inspectRedis(`${trio.url}?feed=none`, "replica", systemClock)).toMatchObject({
      product: expect.stringMatching(/^(Redis|Valkey) \d+\.\d+\.\d+$/),
      head: undefined,
    });
    await expect(openTestLog(`redis://127.0.0.1:${trio.sentinels[0]?.port}`)).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      hint: expect.stringContaining("redis+sentinel://"),
    });
  });

  test("a master whose name the Sentinels do not know is waited for", async () => {
    await expect(openTestLog(trio.url.replace("/main", "/other"))).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining('knows no master named "other"'),
    });
  });
});

describe.skipIf(missing !== undefined)(`a failover by Sentinels${title}`, () => {
  test("a master killed among commits: nothing answered is lost or there twice, and readers follow", async () => {
    await using trio = await startSentinelTrio();
    const url = `${trio.url}?feed=killed`;
    const { logger, lines } = recordingLogger();
    const log = await openTestLog(url, { durability: "replica", logger });
    const reader = await openTestLogToRead(url);
    const writer = new SteadyWriter(log);
    await writer.more(20);
    const before = await trio.master();
    await before.kill();
    await writer.more(20);
    await writer.stop();
    expect(await trio.master()).not.toBe(before);
    await expectTakenOver({ log, reader, writer }, lines);
    await Promise.all([log[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
  });

  test("who waits for events is told of the next one after a failover", async () => {
    await using trio = await startSentinelTrio();
    const url = `${trio.url}?feed=waiting`;
    const log = await openTestLog(url);
    const reader = await openTestLogToRead(url, { silenceMs: 8000 });
    const writer = new SteadyWriter(log);
    await writer.more(1);
    await writer.stop();
    const { sequence } = await log.head();
    const waiting = reader.waitBeyond(sequence, { timeoutMs: 20_000 });
    const before = await trio.master();
    const client = before.client();
    await until("the reader's question is held", async () =>
      /cmd=xread/.test(String(await client.client("LIST"))),
    );
    client.disconnect();
    await before.kill();
    await until("another master", async () => (await trio.master()) !== before);
    const second = new SteadyWriter(log);
    await second.more(1);
    await second.stop();
    await waiting;
    expect(
      await until("told", () => reader.waitBeyond(sequence, { timeoutMs: 20_000 }).catch(() => undefined)),
    ).toBe(true);
    await Promise.all([log[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
  });

  test("a failover: assignments go on, and what is announced afterwards is done", async () => {
    await using trio = await startSentinelTrio();
    const assignments = await openAssignments(trio.url, { clock: systemClock });
    const holder = new TestHolder();
    const stop = new AbortController();
    const running = assignments.run(holder, stop.signal);
    await until("the first assignments are done", () => holder.assignments.includes("trim"));
    const before = await trio.master();
    await before.kill();
    await until("another master", async () => (await trio.master()) !== before);
    const announce = () =>
      assignments.announce(planOf(1)).then(
        () => true,
        () => false,
      );
    await until("an assignment is announced", announce);
    await until("it is done", () => holder.assignments.includes("jobs/n1"));
    stop.abort(new Error("end of test"));
    await running;
    await assignments[Symbol.asyncDispose]();
  });
});
