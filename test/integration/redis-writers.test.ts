import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import { SEGMENT_EVENTS } from "../../src/feed/redis/postings.ts";
import { draft } from "../support/drafts.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

/** Commits events, one call after the other, to a scope that is this writer's. */
async function writer(
  log: FeedLog,
  namespace: string,
): Promise<(...events: EventDraft[]) => Promise<number>> {
  const scope = { resource: "jobs", namespace } as const;
  const { fence, rev } = await log.claim(scope, namespace);
  let expectedRev = rev;
  return async (...events) => {
    const commitId = `${fence}.${expectedRev}`;
    const { first } = await log.commit({ scope, fence, expectedRev, commitId, events, state: [] });
    expectedRev += 1;
    return first;
  };
}

describe.skipIf(missing !== undefined)(`many commits to a log in Redis${title}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("record the time by Redis's clock, whatever that of a writer says", async () => {
    const trueMs = Date.now();
    const wrong = vi.spyOn(Date, "now").mockReturnValue(trueMs + 365 * 86_400_000);
    try {
      const log = await openTestLog(`${server.url}?feed=wrong-clock`);
      const commit = await writer(log, "default");
      await commit(draft({ key: "a" }));
      const { nowMs, newestMs } = await log.times();
      for (const ms of [nowMs, newestMs ?? 0]) expect(Math.abs(ms - trueMs)).toBeLessThan(3_600_000);
      await log[Symbol.asyncDispose]();
    } finally {
      wrong.mockRestore();
    }
  });

  test("of several writers at once: each event carries the place it has", async () => {
    const logs = await Promise.all([1, 2, 3].map(() => openTestLog(`${server.url}?feed=several`)));
    const [one] = logs as [FeedLog];
    await Promise.all(
      logs.flatMap((log, n) =>
        ["a", "b"].map(async (scope) => {
          const commit = await writer(log, `${scope}${n}`);
          for (let round = 0; round < 40; round += 1) {
            const first = await commit(
              draft({ key: `${scope}${n}-${round}`, overflow: `"${scope}"` }),
              draft(),
            );
            expect(first).toBeGreaterThan(0);
          }
        }),
      ),
    );
    const { epoch, sequence } = await one.head();
    expect(sequence).toBe(3 * 2 * 40 * 2);
    const entries = await one.read({ epoch, sequence: 0 }, { limit: 1000 });
    const places = entries.map(({ json }) => JSON.parse(json) as Record<string, unknown>);
    expect(places.map((event) => event["cursor"])).toEqual(entries.map((_, n) => `${epoch}-${n + 1}`));
    expect(places.map((event) => event["sequence"])).toEqual(
      entries.map((_, n) => String(n + 1).padStart(16, "0")),
    );
    const large = entries.filter(({ key }) => key?.includes("-0"));
    for (const { sequence: place, json } of large) expect(json).toContain(`"data/${epoch}-${place}"`);
    await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()));
  });

  test("history finds events however old, and retention takes their index along", async () => {
    const log = await openTestLog(`${server.url}?feed=old`);
    const commit = await writer(log, "default");
    const marked: number[] = [];
    const filler = Array.from({ length: 499 }, (_, n) => draft({ key: `k${n}`, job: "busy" }));
    while ((marked.at(-1) ?? 0) < 2 * SEGMENT_EVENTS) {
      marked.push(await commit(draft({ key: "rare", job: "web", severity: "ERROR" }), ...filler));
    }
    const find = async (query: { key?: string; job?: string; minSeverity?: "ERROR" }, newest = false) =>
      (await log.history({ order: newest ? "newest-first" : "oldest-first", limit: 45, ...query })).map(
        ({ sequence }) => sequence,
      );
    expect(await find({ key: "rare" })).toEqual(marked);
    expect(await find({ job: "web" }, true)).toEqual(marked.toReversed());
    expect(await find({ minSeverity: "ERROR" })).toEqual(marked);
    expect(await find({ job: "busy" }, true)).toHaveLength(45);

    const client = server.client();
    const indexKeys = async () => (await client.keys("ncf:{old}:by:*")).length;
    const before = await indexKeys();
    const { floor } = await log.trim({ maxEvents: 5000 });
    expect(await find({ key: "rare" })).toEqual(marked.filter((sequence) => sequence > floor));
    expect(await indexKeys()).toBeLessThan(before);
    await log.trim({ maxEvents: 0 });
    expect(await indexKeys()).toBe(0);
    expect(await client.exists("ncf:{old}:segments")).toBe(0);
    client.disconnect();
    await log[Symbol.asyncDispose]();
  });

  test("names that JSON or Redis would not take as they are do not stop commits, reading or trimming", async () => {
    const log = await openTestLog(`${server.url}?feed=odd`);
    const commit = await writer(log, "default");
    for (const name of ["\ud800", "a\nb", 'q"uote', "ünï ☃"]) {
      await commit(draft({ key: name, job: name, node: name, namespace: name }));
    }
    const { epoch } = await log.head();
    const entries = await log.read({ epoch, sequence: 0 }, { limit: 10 });
    expect(entries.map(({ key }) => key)).toEqual(["\ufffd", "a\nb", 'q"uote', "ünï ☃"]);
    for (const { key, sequence } of entries) {
      const found = await log.history({ key: key ?? "", order: "oldest-first", limit: 10 });
      expect(found.map((entry) => entry.sequence)).toEqual([sequence]);
    }
    expect(await log.trim({ maxEvents: 0 })).toMatchObject({ floor: 4 });
    await log[Symbol.asyncDispose]();
  });
});
