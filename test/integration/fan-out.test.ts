import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { EVERYTHING, type Access } from "../../src/publishers/selection/access.ts";
import { ConnectionFrames } from "../../src/publishers/connection/frames.ts";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import { Subscriptions } from "../../src/publishers/fanout/subscriptions.ts";
import { compileFilter } from "../../src/publishers/selection/filter-expression.ts";
import { parseSubscription } from "../../src/schemas/subscription-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { formatCursor } from "../../src/schemas/cursor.ts";
import { dearFilter } from "../support/dear-filter.ts";
import { FakeSink } from "../support/fake-sink.ts";
import { FanOut, type Fanned } from "../support/fan-out.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const ALL = { filter: () => true, name: "all" };
const STALLED = 500;

function drafts(first: number, count: number, padding = 0) {
  return Array.from({ length: count }, (_, position) =>
    draft({ id: `${first + position}`, data: `{"padding":"${"x".repeat(padding)}"}` }),
  );
}

const idsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, position) => `${first + position}`);

function idsAt({ sink }: Pick<Fanned, "sink">): string[] {
  return sink.taken
    .map((json) => JSON.parse(json) as { id: string; sequence?: string })
    .filter(({ sequence }) => sequence !== undefined)
    .map(({ id }) => id);
}

async function has(subscriber: Fanned, ids: readonly string[]): Promise<void> {
  await until(`${ids.length} events`, () => idsAt(subscriber).length >= ids.length);
  expect(idsAt(subscriber)).toEqual(ids);
}

async function gauge(feed: FanOut, name: "ringBytes" | "ringEvents"): Promise<number> {
  return (await feed.metrics[name].get()).values[0]?.value ?? 0;
}

describe("the ring", () => {
  it("reads nothing of what this process commits, however many subscribers there are", async () => {
    await using fanOut = await FanOut.open({ maxBytes: 1 << 20, maxEvents: 1000 });
    const subscribers = await Promise.all(Array.from({ length: 50 }, () => fanOut.subscribe(0, ALL)));
    await fanOut.commit(drafts(0, 1));
    for (const subscriber of subscribers) await has(subscriber, ["0"]);
    const before = fanOut.reads;
    for (let first = 1; first < 301; first += 3) await fanOut.commit(drafts(first, 3, 1000));
    for (const subscriber of subscribers) await has(subscriber, idsFrom(0, 301));
    expect(fanOut.reads).toBe(before);
  });

  it("reads what others wrote, once for all, and is handed what comes after it", async () => {
    await using fanOut = await FanOut.open();
    const subscribers = await Promise.all(Array.from({ length: 50 }, () => fanOut.subscribe(0, ALL)));
    await fanOut.commit(drafts(0, 1));
    for (const subscriber of subscribers) await has(subscriber, ["0"]);
    const before = fanOut.reads;
    fanOut.commitElsewhere(draft({ id: "1" }));
    await fanOut.commit(drafts(2, 1));
    for (const subscriber of subscribers) await has(subscriber, idsFrom(0, 3));
    // One brings both events, one finds that there are no more.
    expect(fanOut.reads - before).toBeLessThanOrEqual(2);
    const caughtUp = fanOut.reads;
    await fanOut.commit(drafts(3, 1));
    for (const subscriber of subscribers) await has(subscriber, idsFrom(0, 4));
    expect(fanOut.reads).toBe(caughtUp);
  });

  it("takes nothing that comes twice or too late, and leaves to the log what is more than it should hold", async () => {
    await using fanOut = await FanOut.open({ maxBytes: 1 << 24, maxEvents: 10_000 });
    const subscriber = await fanOut.subscribe(0, ALL);
    let committed = 0;
    for (const handOver of ["twice", "late", "lost", "whole"] as const) {
      fanOut.handOver = handOver;
      for (let commit = 0; commit < 3; commit += 1, committed += 2) {
        await fanOut.commit(drafts(committed, 2));
        await has(subscriber, idsFrom(0, committed + 2));
      }
    }
    const before = fanOut.reads;
    // All before anybody has a turn.
    for (let commit = 0; commit < 10; commit += 1) await fanOut.commit(drafts(committed + commit * 500, 500));
    await has(subscriber, idsFrom(0, committed + 5000));
    expect(fanOut.reads).toBeGreaterThan(before);
  });

  it("whose last member left holds nothing of what is committed, and goes on from there for the next", async () => {
    await using fanOut = await FanOut.open();
    const first = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 2));
    await has(first, idsFrom(0, 2));
    const committing = fanOut.commit(drafts(2, 2));
    first.leave();
    await first.ending;
    await committing;
    await fanOut.commit(drafts(4, 2));
    expect(await gauge(fanOut, "ringEvents")).toBe(0);
    const second = await fanOut.subscribe(3, ALL);
    await fanOut.commit(drafts(6, 2));
    await has(second, idsFrom(3, 5));
  });

  it("changes a subscriber that it left behind over to the log and back, without gap or repetition", async () => {
    await using fanOut = await FanOut.open({ maxBytes: 1 << 20, maxEvents: 8 });
    const slow = await fanOut.subscribe(0, ALL);
    const fast = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 4));
    await has(slow, idsFrom(0, 4));
    slow.sink.pause();
    for (let first = 4; first < 100; first += 4) {
      await fanOut.commit(drafts(first, 4));
      await has(fast, idsFrom(0, first + 4));
    }
    const before = fanOut.reads;
    slow.sink.resume();
    await has(slow, idsFrom(0, 100));
    expect(fanOut.reads).toBeGreaterThan(before);
    const caughtUp = fanOut.reads;
    await fanOut.commit(drafts(100, 4));
    await has(slow, idsFrom(0, 104));
    expect(fanOut.reads - caughtUp).toBeLessThanOrEqual(2);
  });

  it("stays within its bounds, and says how much it holds", async () => {
    const limits = { maxBytes: 64 * 1024, maxEvents: 32 };
    await using fanOut = await FanOut.open(limits);
    const subscriber = await fanOut.subscribe(0, ALL);
    for (let first = 0; first < 400; first += 10) {
      await fanOut.commit(drafts(first, 10, first < 200 ? 0 : 3000));
      await has(subscriber, idsFrom(0, first + 10));
      expect(await gauge(fanOut, "ringBytes")).toBeLessThanOrEqual(limits.maxBytes);
      expect(await gauge(fanOut, "ringEvents")).toBeLessThanOrEqual(limits.maxEvents);
    }
    expect(await gauge(fanOut, "ringEvents")).toBeGreaterThan(0);
    subscriber.leave();
    await subscriber.ending;
    expect(await gauge(fanOut, "ringBytes")).toBe(0);
  });

  it("begins again when a log that was away is back, and nothing is lost", async () => {
    await using fanOut = await FanOut.open();
    const waiting = await fanOut.subscribe(0, ALL);
    const slow = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 3));
    await has(waiting, idsFrom(0, 3));
    slow.sink.pause();
    await fanOut.commit(drafts(3, 3));
    await has(waiting, idsFrom(0, 6));

    fanOut.setAway(true);
    await fanOut.commit(drafts(6, 3));
    const { reason, cursor } = await waiting.ending;
    expect(reason).toBe("LOG_UNAVAILABLE");
    expect(waiting.sink.ended).toEqual({ closeCode: 1013, reason });
    expect(slow.ended).toBeUndefined();

    fanOut.setAway(false);
    slow.sink.resume();
    const again = await fanOut.subscribe(cursor.sequence, ALL);
    await fanOut.commit(drafts(9, 3));
    await has(slow, idsFrom(0, 12));
    await has(again, idsFrom(6, 6));
  });

  it("tells whoever waits when the epoch changed, and serves the new one", async () => {
    await using fanOut = await FanOut.open();
    const waiting = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 3));
    await has(waiting, idsFrom(0, 3));
    fanOut.changeEpoch("later");
    // Somebody with a cursor of the new epoch is what makes the ring look.
    const later = await fanOut.subscribe(1, ALL);
    expect((await waiting.ending).reason).toBe("EPOCH_CHANGED");
    await has(later, idsFrom(1, 2));
    await fanOut.commit(drafts(3, 1));
    await has(later, idsFrom(1, 3));
  });

  it("is handed nothing of another epoch", async () => {
    await using fanOut = await FanOut.open();
    const waiting = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 3));
    await has(waiting, idsFrom(0, 3));
    fanOut.changeEpoch("later");
    await fanOut.commit(drafts(3, 1));
    expect((await waiting.ending).reason).toBe("EPOCH_CHANGED");
    expect(idsAt(waiting)).toEqual(idsFrom(0, 3));
  });
});

describe("a subscriber whose filters are dear", () => {
  const DEAR = { filter: dearFilter(() => true, { steps: 20_000, ms: 2 }), name: "dear" };

  it("gets everything, later than the others, who wait for none of it", async () => {
    await using fanOut = await FanOut.open({ maxBytes: 1 << 20, maxEvents: 1000 });
    const turnsAtLast = vi.spyOn(fanOut.scheduler, "scheduleLast");
    const dear = await fanOut.subscribe(0, DEAR);
    const plain = await fanOut.subscribe(0, ALL);
    await fanOut.commit(drafts(0, 100));
    await has(plain, idsFrom(0, 100));
    expect(idsAt(dear).length).toBeLessThan(50);
    await fanOut.commit(drafts(100, 1));
    await has(plain, idsFrom(0, 101));
    expect(idsAt(dear).length).toBeLessThan(75);
    await has(dear, idsFrom(0, 101));
    expect(turnsAtLast.mock.calls.length).toBeGreaterThan(50);
  });

  it("is told so where it falls ever further behind", async () => {
    await using fanOut = await FanOut.open({ maxBytes: 1 << 20, maxEvents: 8 });
    const dear = await fanOut.subscribe(0, { ...DEAR, catchUpTimeoutMs: 20 });
    const plain = await fanOut.subscribe(0, ALL);
    for (let first = 0; dear.ended === undefined; first += 8) {
      await fanOut.commit(drafts(first, 8));
      await has(plain, idsFrom(0, first + 8));
    }
    expect(dear.ended.reason).toBe("CANNOT_KEEP_UP");
    expect(dear.sink.ended).toEqual({ closeCode: 4423, reason: "CANNOT_KEEP_UP" });
    const said = JSON.parse(dear.sink.taken.at(-1) ?? "{}") as { data: object };
    expect(said.data).toMatchObject({ code: "CANNOT_KEEP_UP", cursor: formatCursor(dear.ended.cursor) });
  });
});

describe("subscribers who may not see the same", () => {
  it("share no answer of a filter, and see no more than they may now", async () => {
    await using feed = await TestFeed.open();
    const { log, metrics } = feed;
    const options = {
      log,
      fanout: createFanout({ log, metrics, logger: silentLogger(), clock: systemClock }),
      metrics,
      logger: silentLogger(),
      clock: systemClock,
      bookmarkIntervalMs: 60_000,
      stallTimeoutMs: 600_000,
    };
    const subscriptions = new Subscriptions(options);
    const asked = new URLSearchParams("types=allocations");
    const subscription = parseSubscription(asked, { format: "ndjson", nowMs: 0, signals: [], compileFilter });
    const head = await log.head();
    const open = (access: Access) => {
      const sink = new FakeSink();
      const end = subscriptions.open({
        connectionId: access.name,
        subscription,
        start: { cursor: head, head },
        sink,
        frames: new ConnectionFrames({
          source: "nomad://test/global",
          connectionId: access.name,
          nowMs: () => 0,
        }),
        access,
      });
      return { sink, end };
    };
    let mayBob = true;
    const admin = open(EVERYTHING);
    const other = open(EVERYTHING);
    const alice = open({ name: "alice", maySee: ({ namespace }) => namespace === "default" });
    const bob = open({ name: "bob", maySee: () => mayBob });
    await feed.commit(draft({ id: "a" }), draft({ id: "b", namespace: "secret" }));
    await until("all have theirs", () => [admin, other, bob].every((one) => idsAt(one).length === 2));
    bob.sink.pause();
    await feed.commit(draft({ id: "c" }));
    await until("bob is behind", () => idsAt(admin).length === 3 && !bob.sink.isClear);
    await feed.commit(draft({ id: "d" }));
    await until("others have it", () => idsAt(admin).length === 4);
    mayBob = false;
    bob.sink.resume();
    await feed.commit(draft({ id: "e" }));
    await until("everybody was asked", () => [admin, other].every((one) => idsAt(one).length === 5));
    await until("alice has hers", () => idsAt(alice).length === 4);
    expect(idsAt(admin)).toEqual(["a", "b", "c", "d", "e"]);
    expect(idsAt(other)).toEqual(idsAt(admin));
    expect(idsAt(alice)).toEqual(["a", "c", "d", "e"]);
    expect(idsAt(bob)).toEqual(["a", "b", "c"]);
    for (const { end } of [admin, other, alice, bob]) end();
  });
});

/** Connects and never reads. */
async function stalledSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).pause();
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      () => resolve(),
    );
  });
  return socket;
}

function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("500 subscribers that stopped reading", () => {
  it("keep nobody waiting, and cost less than 64 KiB each", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve({ bookmarkIntervalMs: 600_000 });
    const reader = await WebSocketClient.connect(`${url}/v1/events`);
    await reader.next();
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => stalledSocket(url)));
    const open = async () => (await feed.metrics.subscribers.get()).values[0]?.value === STALLED + 1;
    await until("all are connected", open);
    const before = heldBytes();
    const ids = await feed.commitMany("a", 300, 16 * 1024);
    const last = ids.at(-1);
    expect((await reader.until(({ id }) => id === last)).map(({ id }) => id)).toEqual(ids);
    const delivered = (await feed.metrics.deliveries.get()).values[0]?.value ?? 0;
    expect(delivered).toBeLessThan(ids.length * (STALLED + 1));
    // The ring's 16 MiB are nobody's in particular.
    expect((heldBytes() - before - 16 * 1024 * 1024) / STALLED).toBeLessThan(64 * 1024);
    for (const socket of stalled) socket.destroy();
    await reader.close();
  });
});
