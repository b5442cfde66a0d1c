import type { FeedEvent, HistoryPage, HistoryQuery } from "nomad-changefeed-client";
import { describe, expect, it } from "vitest";
import { readRollout } from "../../console/src/pages/deployments/rollout-reading.ts";
import { deploymentFacts } from "../../console/src/rollouts/facts.ts";
import { shownTimeOf } from "../../console/src/words/shown-time.ts";
import { BEGIN_MS, feedEvent, nanos, timeAt, type Change } from "../support/console/feed-events.ts";

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
    const { subject, since = "", until = "9", cursor = "a-0" } = query;
    const found = events.filter(
      (event) =>
        (subject === undefined || event.subject === subject) &&
        event.recordedtime >= since &&
        event.recordedtime < until &&
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
