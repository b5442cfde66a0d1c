import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import type { Access } from "../../src/publishers/selection/access.ts";
import { readHistory } from "../../src/publishers/pages/history.ts";
import { objectTexts } from "../../src/publishers/state/objects.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { breakable } from "../support/breakable-log.ts";
import { objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";

/** Sees jobs of default alone. */
const access: Access = {
  name: "default only",
  maySee: ({ resource, namespace }) => resource === "jobs" && namespace === "default",
};
const reads = new ReadScheduler({ maxWorkMs: 30_000, clock: systemClock });

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
  const hidden = Array.from({ length: 50 }, (_, n) => objectChange(refOf("jobs", `s${n}`, "secret"), "1"));
  await feed.commitObjects(objectChange(refOf("jobs", "web"), "1"), ...hidden);
});
afterEach(() => feed[Symbol.asyncDispose]());

/** The log, counting the objects and events that it gave out, and the questions that it was asked. */
function countedReads(log: FeedLog) {
  const counts = { asked: 0, given: 0 };
  async function* counted<Item>(source: AsyncIterable<Item[]>) {
    counts.asked += 1;
    for await (const batch of source) {
      counts.given += batch.length;
      yield batch;
    }
  }
  const watched: FeedLog = {
    ...breakable(log),
    scanHistory: (query) => counted(log.scanHistory(query)),
    firstChanges: (query) => counted(log.firstChanges(query)),
    consistentRead: async () => {
      const read = await log.consistentRead();
      return {
        cursor: read.cursor,
        entries: (filter) => counted(read.entries(filter)),
        [Symbol.asyncDispose]: () => read[Symbol.asyncDispose](),
      };
    },
  };
  return { watched, counts };
}

async function stateReads(conditions: { namespaces?: string[]; subjects?: string[] }) {
  const { watched, counts } = countedReads(feed.log);
  await using read = await watched.consistentRead();
  const options = {
    conditions,
    access,
    payload: "full",
    source: "nomad://test/global",
    nowMs: Date.now,
  } as const;
  await Array.fromAsync(objectTexts(read, await reads.begin(), options));
  return counts;
}

async function historyReads(named: { namespace?: string; subject?: ReturnType<typeof refOf> }) {
  const { watched, counts } = countedReads(feed.log);
  const request = { ...named, order: "newest-first", limit: 100 } as const;
  await readHistory(watched, await reads.begin(), { request, access, maxBytes: 1024 * 1024 });
  return counts;
}

it("state: what may not be seen is not read, whether it exists or not", async () => {
  expect(await stateReads({ namespaces: ["secret"] })).toEqual(await stateReads({ namespaces: ["none"] }));
  expect(await stateReads({ namespaces: ["secret"] })).toEqual({ asked: 0, given: 0 });
  expect(await stateReads({ subjects: ["jobs/secret/s1"] })).toEqual({ asked: 0, given: 0 });
  expect(await stateReads({})).toMatchObject({ given: 1 });
});

it("history: what may not be seen is not read, whether it exists or not", async () => {
  expect(await historyReads({ namespace: "secret" })).toEqual({ asked: 0, given: 0 });
  expect(await historyReads({ namespace: "none" })).toEqual({ asked: 0, given: 0 });
  expect(await historyReads({ subject: refOf("jobs", "s1", "secret") })).toEqual({ asked: 0, given: 0 });
  expect(await historyReads({})).toMatchObject({ given: 1 });
});
