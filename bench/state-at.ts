import type { EventDraft } from "../src/schemas/draft.ts";
import type { FeedLog, StateWrite } from "../src/feed/log.ts";
import { PastStates } from "../src/reads/past-states.ts";
import { systemClock } from "../src/shared/clock.ts";
import { draft, refOf } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { once, type BenchRow } from "./harness.ts";

const EVENTS = 1_000_000;
const OBJECTS = 50_000;
const BATCH = 500;
/** What happens in about ten minutes where a thousand events come in a minute. */
const RECENT = 10_000;

const measured = once(measureStateAt);

export default [
  {
    name: "state-at",
    unit: `ms to read the state of ${OBJECTS} allocations as it was before ${EVENTS} events, in SQLite`,
    goal: "at most 0.5 × a full fold",
    against: "reading those events from the log, oldest first, and keeping the newest of each object",
    run: async () => {
      const { oldestMs, foldMs } = await measured();
      return { value: oldestMs, against: foldMs };
    },
  },
  {
    name: "state-at-recent",
    unit: `ms to read the state of ${OBJECTS} allocations as it was before the newest ${RECENT} events`,
    goal: "at most 3 × the state now",
    against: "reading the state as it is now",
    run: async () => {
      const { recentMs, presentMs } = await measured();
      return { value: recentMs, against: presentMs };
    },
  },
  {
    name: "state-at-stall",
    unit: "ms in which the oldest state is read between two of its batches at most, while others wait",
    goal: "at most 20",
    against: "nothing",
    run: async () => (await measured()).longestMs,
  },
] satisfies readonly BenchRow[];

async function measureStateAt() {
  await using feed = await TestFeed.open();
  await fill(feed);
  const { log } = feed;
  const head = await log.head();
  const first = OBJECTS;
  const presentMs = await timed(async () => {
    await using read = await log.consistentRead();
    await countOf(read.entries());
  });
  const recent = await readAt(log, { ...head, sequence: head.sequence - RECENT });
  const oldest = await readAt(log, { ...head, sequence: first });
  const foldMs = await timed(() => fold(log, first));
  return { presentMs, recentMs: recent.ms, oldestMs: oldest.ms, longestMs: oldest.longestMs, foldMs };
}

async function readAt(log: FeedLog, { epoch, sequence }: { epoch: string; sequence: number }) {
  let longestMs = 0;
  const past = new PastStates(log);
  const ms = await timed(async () => {
    await using read = await past.at({ kind: "cursor", cursor: { epoch, sequence } });
    longestMs = await countOf(read.entries());
  });
  return { ms, longestMs };
}

/** Takes all objects; answers how long the longest batch took. @throws Error where objects are missing */
async function countOf(batches: AsyncIterable<readonly object[]>): Promise<number> {
  let count = 0;
  let longestMs = 0;
  let beganMs = systemClock.elapsed();
  for await (const batch of batches) {
    count += batch.length;
    longestMs = Math.max(longestMs, systemClock.elapsed() - beganMs);
    await systemClock.yield();
    beganMs = systemClock.elapsed();
  }
  if (count !== OBJECTS) throw new Error(`${count} objects were read, not ${OBJECTS}`);
  return longestMs;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = systemClock.elapsed();
  await work();
  return systemClock.elapsed() - beganMs;
}

async function fold(log: FeedLog, until: number): Promise<void> {
  const { epoch } = await log.head();
  const objects = new Map<string, object>();
  let sequence = until;
  for (;;) {
    const entries = await log.read({ epoch, sequence }, { limit: BATCH });
    for (const { key, json, sequence: at } of entries) {
      const { data } = JSON.parse(json) as { data: { after: object } };
      objects.set(key ?? "", data.after);
      sequence = at;
    }
    await systemClock.yield();
    if (entries.length < BATCH) break;
  }
  if (objects.size !== OBJECTS) throw new Error(`${objects.size} objects were folded, not ${OBJECTS}`);
}

/** Each object is created once, and then updated as often as any other, in an order that looks like none. */
async function fill(feed: TestFeed): Promise<void> {
  for (let first = 0; first < OBJECTS + EVENTS; first += BATCH) {
    const changes = Array.from({ length: BATCH }, (_, n) => changeAt(first + n));
    await feed.write(
      changes.map(({ event }) => event),
      changes.map(({ state }) => state),
    );
  }
}

function changeAt(number: number): { event: EventDraft; state: StateWrite } {
  const object = number < OBJECTS ? number : (number * 7919) % OBJECTS;
  const key = `${String(object).padStart(8, "0")}-aaaa-bbbb-cccc-dddddddddddd`;
  const ref = refOf("allocations", key);
  const isNew = number < OBJECTS;
  const stub = {
    ID: key,
    JobID: "service-of-the-platform-team",
    ClientStatus: number % 2 === 0 ? "running" : "pending",
    TaskStates: {
      main: { State: "running", Events: [{ Type: "Started", DisplayMessage: "x".repeat(300) }] },
    },
    ModifyIndex: number + 1,
  };
  const changes = [{ path: "/ModifyIndex", from: number, to: number + 1 }];
  const data = JSON.stringify({
    op: isNew ? "create" : "update",
    signals: [],
    ...(isNew ? {} : { changes }),
    after: stub,
  });
  const event = draft({ ...ref, op: isNew ? "create" : "update", id: `0/${key}@${number}`, data });
  return {
    event,
    state: { ref, next: { rev: String(number + 1), stub: Buffer.from(JSON.stringify(stub)) } },
  };
}
