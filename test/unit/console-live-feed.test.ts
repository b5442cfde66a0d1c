import { setImmediate } from "node:timers/promises";
import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import { describe, expect, it } from "vitest";
import type { FeedItem } from "../../console/src/feed/event-facts.ts";
import type { FollowedItem, Following } from "../../console/src/feed/followed.ts";
import { isMark, keyOf } from "../../console/src/pages/live/event-window.ts";
import { LiveFeed } from "../../console/src/pages/live/live-feed.ts";
import type { LiveOptions } from "../../console/src/pages/live/live-source.ts";

/** A log of `length` events, and a bridge that reads it: pages both ways, and a stream that says what it is told. */
class FakeBridge {
  readonly log: FeedItem[];
  readonly queries: EventsQuery[] = [];
  readonly followed: string[] = [];
  nowMs = Date.parse("2026-11-29T12:00:00Z");
  failsWith: Error | undefined;
  /** What is to be done after a while. */
  readonly due: (() => void)[] = [];
  #following: Following | undefined;

  constructor(length: number) {
    this.log = Array.from({ length }, (_, at) => eventAt(at + 1));
  }

  readonly source = {
    page: async (query: EventsQuery): Promise<EventPage> => {
      this.queries.push(query);
      if (this.failsWith !== undefined) throw this.failsWith;
      return this.#pageOf(query);
    },
    follow: ({ cursor }: { cursor: string }, following: Following) => {
      this.followed.push(cursor);
      this.#following = following;
      return () => (this.#following = undefined);
    },
    soon: (work: () => void) => work(),
    later: (work: () => void) => this.due.push(work),
    nowMs: () => this.nowMs,
  };

  /** Whatever is said on the stream, if anybody listens. */
  say(item: FollowedItem): void {
    this.#following?.onItem(item);
  }

  end(error: Error): void {
    this.#following?.onEnd(error);
  }

  /** New events, in the log and on the stream. */
  happen(count: number): void {
    for (let made = 0; made < count; made += 1) {
      const event = eventAt(this.log.length + 1);
      this.log.push(event);
      this.say(event);
    }
  }

  #pageOf({ order, cursor, limit = 100 }: EventsQuery): EventPage {
    const at = cursor === undefined ? undefined : sequenceIn(cursor);
    const head = `a-${this.log.length}`;
    if (order === "newest-first") {
      const end = at === undefined ? this.log.length : at - 1;
      const events = this.log.slice(Math.max(0, end - limit), end).toReversed();
      const last = events.at(-1)?.cursor ?? "a-0";
      const hasNext = end > limit;
      return {
        events,
        cursor: last,
        head,
        hasGap: false,
        ...(hasNext && { next: { order, cursor: last, limit } }),
      };
    }
    const events = this.log.slice(at ?? 0, (at ?? 0) + limit);
    return { events, cursor: events.at(-1)?.cursor ?? head, head, hasGap: false, next: {} };
  }
}

function eventAt(sequence: number): FeedItem {
  const time = new Date(Date.parse("2026-11-29T12:00:00Z")).toISOString();
  return {
    specversion: "1.0",
    id: `event-${sequence}`,
    source: "nomad://test/global",
    type: "nomad.job.updated",
    subject: "jobs/default/web",
    partitionkey: "jobs/default/web",
    time,
    recordedtime: time,
    datacontenttype: "application/json",
    dataschema: "urn:nomad-changefeed:schema:change:1",
    severitytext: "INFO",
    severitynumber: 9,
    sequence: String(sequence).padStart(16, "0"),
    cursor: `a-${sequence}`,
    data: {
      op: "update",
      aspect: "status",
      signals: [],
      resource: { type: "jobs", namespace: "default", id: "web" },
      changes: [],
      rev: { current: "2", previous: "1", created: "1" },
      observed: {
        mode: "live",
        coalesced: "no",
        fromIndex: null,
        toIndex: "2",
        since: null,
        nomadEpoch: 0,
        timeBasis: "observed",
      },
    },
  };
}

function sequenceIn(cursor: string): number {
  return Number(cursor.split("-")[1]);
}

async function started(bridge: FakeBridge, options: Partial<LiveOptions> = {}): Promise<LiveFeed> {
  const feed = new LiveFeed(bridge.source, { selection: {}, ...options }, () => undefined);
  feed.start();
  await settled();
  return feed;
}

async function settled(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Sequence numbers newest first, and the words of marks. */
function shown({ window: rows }: LiveFeed): (number | string)[] {
  return [...rows.newestFirst()].map((row) => (isMark(row) ? row.words : sequenceIn(keyOf(row))));
}

function downFrom(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, at) => from - at);
}

describe("the live feed of the console", () => {
  it("shows the newest events and goes on from where the page ended", async () => {
    const bridge = new FakeBridge(10);
    const feed = await started(bridge);
    bridge.happen(2);
    expect(bridge.followed).toEqual(["a-10"]);
    expect(shown(feed)).toEqual(downFrom(12, 1));
    expect(feed.older.kind).toBe("end");
  });

  it("loses no line between pausing and resuming", async () => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge);
    feed.pause();
    bridge.happen(5);
    expect(shown(feed)).toEqual(downFrom(3, 1));
    expect(feed.waiting).toBe(5);
    feed.resume();
    expect(shown(feed)).toEqual(downFrom(8, 1));
    expect(feed.waiting).toBe(0);
  });

  it("moves nothing under who reads further down, and gives what waits in order as they come up", async () => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge);
    feed.setAway(true);
    bridge.happen(5);
    expect(shown(feed)).toEqual(downFrom(3, 1));
    expect(feed.takeWaiting(2)).toBe(2);
    expect(shown(feed)).toEqual(downFrom(5, 1));
    bridge.happen(1);
    feed.setAway(false);
    expect(shown(feed)).toEqual(downFrom(9, 1));
  });

  it("reads back to where retention starts", async () => {
    const bridge = new FakeBridge(1000);
    const feed = await started(bridge);
    expect(feed.older.kind).toBe("more");
    await feed.loadOlder();
    await feed.loadOlder();
    expect(shown(feed)).toEqual(downFrom(1000, 1));
    expect(feed.older.kind).toBe("end");
  });

  it("holds no more rows than it may, and reads the old ones again", async () => {
    const bridge = new FakeBridge(1000);
    const feed = await started(bridge, { maxRows: 500 });
    bridge.happen(300);
    expect(shown(feed)).toEqual(downFrom(1300, 801));
    bridge.queries.length = 0;
    await feed.loadOlder();
    expect(bridge.queries).toMatchObject([{ order: "newest-first", cursor: "a-801" }]);
    expect(shown(feed).at(-1)).toBe(401);
  });

  it("reads the newest again after they were let go while somebody read far back", async () => {
    const bridge = new FakeBridge(1000);
    const feed = await started(bridge, { maxRows: 500 });
    feed.setAway(true);
    await feed.loadOlder();
    expect(shown(feed)).toEqual(downFrom(700, 201));
    expect(feed.newer.kind).toBe("more");
    bridge.happen(600);
    expect(feed.waiting).toBe(600);
    while (feed.newer.kind === "more") await feed.loadNewer();
    expect(shown(feed)).toEqual(downFrom(1600, 1101));
    bridge.happen(1);
    feed.setAway(false);
    expect(shown(feed)).toEqual(downFrom(1601, 1102));
  });

  it("lets go of what waits when it is too much, and loses none of it", async () => {
    const bridge = new FakeBridge(10);
    const feed = await started(bridge, { maxRows: 500 });
    feed.pause();
    bridge.happen(900);
    expect(feed.waiting).toBe(900);
    feed.resume();
    await settled();
    bridge.happen(1);
    expect(shown(feed)).toEqual(downFrom(911, 511));
    await feed.loadOlder();
    expect(shown(feed).at(-1)).toBe(111);
  });

  it("says where events are missing, at their place", async () => {
    const bridge = new FakeBridge(2);
    const feed = await started(bridge);
    bridge.say(frame("nomad.feed.gap", { reason: "missing", wanted: "a-2", cursor: "a-5", missed: 3 }));
    bridge.log.push(eventAt(3), eventAt(4), eventAt(5));
    bridge.happen(1);
    expect(shown(feed)).toEqual([6, expect.stringContaining("3 events are missing"), 2, 1]);
  });

  it("says that it was away, and goes on", async () => {
    const bridge = new FakeBridge(1);
    const feed = await started(bridge);
    bridge.say({ type: "client.connected", again: true, cursor: "a-1", feed: "", epoch: "a", gap: false });
    bridge.happen(1);
    expect(shown(feed)).toEqual([2, "Connected again: nothing is missing", 1]);
  });

  it.each([
    ["CURSOR_EXPIRED", "Retention has removed"],
    ["EPOCH_CHANGED", "began a new history"],
    ["FUTURE_CURSOR", "older copy"],
  ])("begins anew, and says so, where its place in the log is lost: %s", async (reason, words) => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge);
    bridge.end(Object.assign(new Error("gone"), { reason }));
    await settled();
    bridge.happen(1);
    expect(shown(feed)).toEqual([4, expect.stringContaining(words), 3, 2, 1]);
    expect(feed.failure).toBeUndefined();
  });

  it("stops where what was asked for is refused", async () => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge);
    const refusal = Object.assign(new Error("no such parameter"), { reason: "INVALID_PARAMETER" });
    bridge.end(refusal);
    expect(feed.failure).toBe(refusal);
  });

  it("goes on from the last event when the machine has slept", async () => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge);
    bridge.happen(1);
    feed.reconnect("Asleep for 3 h");
    bridge.happen(1);
    expect(bridge.followed).toEqual(["a-3", "a-4"]);
    expect(shown(feed)).toEqual([5, "Asleep for 3 h", 4, 3, 2, 1]);
  });

  it("follows a bridge that cannot read backwards, and says so", async () => {
    const bridge = new FakeBridge(3);
    bridge.failsWith = Object.assign(new Error("order is unknown"), { field: "order" });
    const feed = await started(bridge);
    bridge.happen(1);
    expect(shown(feed)).toEqual([4]);
    expect(feed.older).toMatchObject({
      kind: "failed",
      error: { message: expect.stringContaining("too old") },
    });
  });

  it("asks again when nobody answered", async () => {
    const bridge = new FakeBridge(3);
    bridge.failsWith = Object.assign(new Error("unreachable"), { retryable: true });
    const feed = await started(bridge);
    expect(feed.failure).toBe(bridge.failsWith);
    bridge.failsWith = undefined;
    for (const work of bridge.due) work();
    await settled();
    expect(shown(feed)).toEqual([3, 2, 1]);
    expect(feed.failure).toBeUndefined();
  });

  it("shows what was before a time, and nothing that comes", async () => {
    const bridge = new FakeBridge(3);
    const feed = await started(bridge, { until: "2026-11-29T13:00:00Z" });
    expect(feed.isFollowing).toBe(false);
    expect(bridge.followed).toEqual([]);
    expect(bridge.queries).toMatchObject([{ order: "newest-first", until: "2026-11-29T13:00:00Z" }]);
  });

  it("shows the event of a cursor, and nothing that was recorded after it", async () => {
    const feed = await started(new FakeBridge(5), { until: "2026-11-29T13:00:00Z", through: "a-3" });
    expect(shown(feed)).toEqual([3, 2, 1]);
    expect(feed.isFollowing).toBe(false);
  });

  it("says how far behind it is while it catches up", async () => {
    const bridge = new FakeBridge(1);
    const feed = await started(bridge);
    bridge.nowMs += 90_000;
    bridge.happen(1);
    expect(feed.tail.behindMs).toBe(90_000);
  });
});

function frame(type: "nomad.feed.gap", data: unknown): FollowedItem {
  return { type, data } as FollowedItem;
}
