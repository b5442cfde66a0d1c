import { describe, expect, test } from "vitest";
import type { Claim, FeedLog } from "../../src/feed/log.ts";
import { change, epochEvents, JOBS, refusalOf } from "../support/redis-changes.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

describe.skipIf(missing !== undefined)(`a Redis that loses its newest writes${title}`, () => {
  /** Two commits by one writer, the second of which Redis loses in a crash. */
  async function losing(server: RedisServer): Promise<{ log: FeedLog; claim: Claim; epoch: string }> {
    const log = await openTestLog(server.url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const client = server.client();
    await client.save();
    client.disconnect();
    await log.commit(change(claim, 2));
    const { epoch } = await log.head();
    await server.kill();
    await server.start();
    return { log, claim, epoch };
  }

  test("gets a new epoch from the writer that saw them, who reads everything again", async () => {
    await using server = await RedisServer.start();
    const { log, claim, epoch } = await losing(server);
    const refused = await refusalOf(log, change(claim, 3));
    expect(refused).toMatchObject({ code: "CONFLICT" });
    expect(await epochEvents(log)).toEqual([
      { sequence: 2, previous: epoch, reason: expect.stringContaining("lost the newest events") },
    ]);
    const again = await log.claim(JOBS, "me");
    expect(again).toMatchObject({ rev: 1 });
    const renewed = (await log.head()).epoch;
    expect(renewed).not.toBe(epoch);
    expect(await log.commit(change(again, 1, "again"))).toMatchObject({ status: "committed", first: 3 });
    expect((await log.head()).epoch).toBe(renewed);
    await expect(log.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject({
      code: "EPOCH_CHANGED",
    });
    await log[Symbol.asyncDispose]();
  });

  test("says so to who only looks where the feed is", async () => {
    await using server = await RedisServer.start();
    const { log, epoch } = await losing(server);
    const head = await until("the log answers", () => log.head().catch(() => undefined));
    expect(head).toMatchObject({ sequence: 2 });
    expect(head.epoch).not.toBe(epoch);
    await log[Symbol.asyncDispose]();
  });

  test("gets a new epoch from a writer that cannot know, where nobody is left who saw them", async () => {
    await using server = await RedisServer.start();
    const { log, epoch } = await losing(server);
    await log[Symbol.asyncDispose]();
    const next = await openTestLog(server.url);
    expect((await next.head()).epoch).not.toBe(epoch);
    expect(await epochEvents(next)).toEqual([
      { sequence: 2, previous: epoch, reason: expect.stringContaining("no writer was there") },
    ]);
    await next[Symbol.asyncDispose]();
    const third = await openTestLog(server.url);
    expect(await epochEvents(third)).toHaveLength(1);
    await third[Symbol.asyncDispose]();
  });

  test("keeps its epoch where somebody who saw them finds nothing lost, though others come new", async () => {
    await using server = await RedisServer.start("--appendonly", "yes");
    const { log, epoch } = await losing(server);
    const opening = openTestLog(server.url);
    await until("the log answers", () => log.head().catch(() => undefined));
    const other = await opening;
    expect((await other.head()).epoch).toBe(epoch);
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  test("never gives a fence out twice", async () => {
    await using server = await RedisServer.start();
    const log = await openTestLog(server.url);
    const client = server.client();
    await log.claim(JOBS, "me");
    await client.save();
    client.disconnect();
    const lost = await log.claim(JOBS, "me");
    await server.kill();
    await server.start();
    const other = await openTestLog(server.url);
    const claim = await other.claim(JOBS, "other");
    expect(claim.fence).toBeGreaterThan(lost.fence);
    const refused = await refusalOf(log, change(lost, 1));
    expect(refused).toMatchObject({ code: "FENCED" });
    expect(await other.commit(change(claim, 1))).toMatchObject({ status: "committed" });
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  test("that lost a claim with them has its holder claim again", async () => {
    await using server = await RedisServer.start();
    const log = await openTestLog(server.url);
    const client = server.client();
    await client.save();
    client.disconnect();
    const claim = await log.claim(JOBS, "me");
    await server.kill();
    await server.start();
    const refused = await refusalOf(log, change(claim, 1));
    expect(refused).toMatchObject({ code: "CONFLICT" });
    await log[Symbol.asyncDispose]();
  });

  test("and all others: the writer must begin anew, under a new epoch", async () => {
    await using server = await RedisServer.start();
    const log = await openTestLog(server.url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const { epoch } = await log.head();
    const client = server.client();
    await client.flushall();
    client.disconnect();
    await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await epochEvents(log)).toEqual([
      { sequence: 1, previous: epoch, reason: expect.stringContaining("keys are gone") },
    ]);
    const again = await log.claim(JOBS, "me");
    expect(again).toMatchObject({ rev: 0, baselined: false });
    expect(again.fence).toBeGreaterThan(claim.fence);
    expect((await log.head()).epoch).not.toBe(epoch);
    await expect(log.read({ epoch, sequence: 1 }, { limit: 1 })).rejects.toMatchObject({
      code: "EPOCH_CHANGED",
    });
    await log[Symbol.asyncDispose]();
  });
});
