import type { FeedEvent, HistoryPage, HistoryQuery } from "nomad-changefeed-client";
import { describe, expect, it } from "vitest";
import type { FollowedItem, Following } from "../../console/src/feed/followed.ts";
import { readRollout } from "../../console/src/pages/deployments/rollout-reading.ts";
import {
  NO_STEPS,
  readAndFollow,
  type Steps,
  type StepsSource,
} from "../../console/src/pages/deployments/rollout-steps.ts";
import { deploymentFacts } from "../../console/src/rollouts/facts.ts";
import { shownTimeOf } from "../../console/src/words/shown-time.ts";
import { BEGIN_MS, feedEvent, nanos, timeAt, type Change } from "../support/console/feed-events.ts";
import { until } from "../support/until.ts";

const SUBJECT = "deployments/default/d1";
const stub = (status: string) => ({
  ID: "d1",
  JobID: "web",
  JobVersion: 3,
  Status: status,
  StatusDescription: "",
  TaskGroups: {},
  CreateTime: nanos(0),
  ModifyTime: nanos(60),
});
const rollout = (status: string) =>
  deploymentFacts({
    subject: SUBJECT,
    namespace: "default",
    id: "d1",
    stub: stub(status) as unknown as Parameters<typeof deploymentFacts>[0]["stub"],
  });
const own = (sequence: number, seconds: number, status: string, op?: "create" | "delete") =>
  feedEvent(sequence, seconds, { subject: SUBJECT, stub: stub(status), ...(op && { op }) });
const other = (sequence: number, seconds: number) =>
  feedEvent(sequence, seconds, { subject: `allocations/default/a${sequence}`, stub: {} });

/** A history as the bridge answers it: by object or job, by when things were recorded, two events a page. */
function logOf(events: readonly Change[]) {
  return async (query: HistoryQuery): Promise<HistoryPage> => {
    const { subject, since = "", until: end = "9", cursor = "a-0" } = query;
    const found = events.filter(
      (event) =>
        (subject === undefined || event.subject === subject) &&
        event.recordedtime >= since &&
        event.recordedtime < end &&
        Number(event.cursor.slice(2)) > Number(cursor.slice(2)),
    );
    const page = found.slice(0, 2);
    const last = page.at(-1)?.cursor ?? cursor;
    return {
      events: page as unknown as FeedEvent[],
      cursor: last,
      floor: "a-0",
      ...(found.length > 2 && { next: { ...query, cursor: last } }),
    };
  };
}

async function read(events: readonly Change[], { at = "", status = "successful" } = {}) {
  const taken: string[] = [];
  const { missing } = await readRollout(
    rollout(status),
    shownTimeOf(at, new Map(), BEGIN_MS),
    { history: logOf(events) },
    (page) => taken.push(...page.map(({ cursor }) => cursor)),
  );
  return { taken, missing };
}

describe("the past of a rollout", () => {
  it("ends where the log recorded its end, however late that was", async () => {
    // Nomad says that it ended at 60 s; the feed was away and recorded it at 300 s.
    const late = (event: Change, seconds: number) => ({ ...event, recordedtime: timeAt(seconds) });
    const events = [own(1, 0, "running", "create"), other(2, 30), late(other(3, 59), 299)];
    const all = [...events, late(own(4, 60, "successful"), 300), other(5, 900)];
    expect(await read(all)).toEqual({ taken: ["a-1", "a-2", "a-3", "a-4"], missing: undefined });
  });

  it("goes on to the end of the log while the rollout does", async () => {
    const events = [own(1, 0, "running", "create"), other(2, 30), other(3, 900)];
    expect((await read(events, { status: "running" })).taken).toEqual(["a-1", "a-2", "a-3"]);
  });

  it("ends at the moment that is shown", async () => {
    const events = [own(1, 0, "running", "create"), other(2, 30), other(3, 50), own(4, 60, "successful")];
    expect((await read(events, { at: timeAt(31), status: "running" })).taken).toEqual(["a-1", "a-2"]);
  });

  it("says where the log does not reach back to its beginning", async () => {
    const { missing } = await read([own(1, 40, "running"), own(2, 60, "successful")]);
    expect(missing).toContain("does not go back to its beginning");
    expect((await read([])).missing).toBeDefined();
  });
});

describe("the steps of a rollout that goes on", () => {
  /** A bridge with two events of the past, which says what it is told. */
  function followed() {
    const history = logOf([own(1, 0, "running", "create"), own(2, 10, "running")]);
    let steps = NO_STEPS;
    let following: Following | undefined;
    const source: StepsSource = {
      head: async () => "a-2",
      history: (query) => history(query),
      follow: (options, told) => {
        expect(options).toMatchObject({ cursor: "a-2", namespaces: ["default"] });
        following = told;
        return () => undefined;
      },
    };
    const end = readAndFollow(rollout("running"), { kind: "now" }, source, (next) => {
      steps = next(steps);
    });
    return {
      end,
      say: (item: unknown) => following?.onItem(item as FollowedItem),
      steps: () => steps,
      isFollowing: () => following !== undefined,
    };
  }
  const words = (steps: Steps) => steps.steps.map((step) => step.words);

  it("are read and followed, stand as things happened, and come once each", async () => {
    const { say, steps, isFollowing } = followed();
    await until("it is followed", isFollowing);
    const failed = feedEvent(4, 12, {
      subject: "allocations/default/a1",
      stub: { JobVersion: 3, ClientStatus: "failed" },
      changes: [{ path: "/ClientStatus", from: "running", to: "failed" }],
    });
    say(own(3, 20, "successful"));
    say(failed);
    say(failed);
    expect(words(steps()).slice(-2)).toEqual(["failed", "updated"]);
    expect(steps()).toMatchObject({ isWhole: true, missing: [], error: undefined });
  });

  it("say that events are missing after a gap", async () => {
    const { say, steps, isFollowing } = followed();
    await until("it is followed", isFollowing);
    say({ type: "nomad.feed.gap", data: { cursor: "a-9" } });
    expect(steps().missing).toEqual([expect.stringContaining("Events are missing")]);
  });

  it("do not change any more once nobody looks", async () => {
    const { end, say, steps, isFollowing } = followed();
    await until("it is followed", isFollowing);
    const last = steps();
    end();
    say(own(3, 20, "successful"));
    expect(steps()).toBe(last);
  });
});
