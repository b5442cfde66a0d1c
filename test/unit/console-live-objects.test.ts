import { array, assert, boolean, nat, property, record } from "fast-check";
import type { SnapshotObject } from "nomad-changefeed-client";
import { expect, it } from "vitest";
import type { FollowedItem, Following, FollowOptions } from "../../console/src/feed/followed.ts";
import { LiveObjects, type ObjectsQuery } from "../../console/src/feed/live-objects.ts";
import { mergeRows } from "../../console/src/feed/merge-rows.ts";
import { until } from "../support/until.ts";

interface Job {
  readonly id: string;
  readonly status: string;
}

/** A bridge that has jobs, and says on each stream what it is told to. */
class FakeBridge {
  jobs: Job[] = [];
  readonly streams: { options: FollowOptions; following: Following }[] = [];
  readonly asked: object[] = [];

  readonly source = {
    read: async (query: { readonly subjects?: readonly string[] }) => {
      this.asked.push(query);
      const found = this.jobs.filter(({ id }) => query.subjects?.includes(subjectOf(id)) ?? true);
      return { cursor: "a-10", [Symbol.asyncIterator]: () => objectsOf(found) };
    },
    follow: (options: FollowOptions, following: Following) => {
      const stream = { options, following };
      this.streams.push(stream);
      return () => void this.streams.splice(this.streams.indexOf(stream), 1);
    },
  };

  say(item: object, stream = 0): void {
    this.streams[stream]?.following.onItem(item as FollowedItem);
  }
}

const subjectOf = (id: string) => `jobs/default/${id}`;
const resourceOf = (id: string) => ({ type: "jobs", namespace: "default", id });

async function* objectsOf(jobs: readonly Job[]) {
  for (const { id, status } of jobs) {
    const data = { resource: resourceOf(id), after: { Status: status } };
    yield { subject: subjectOf(id), data } as unknown as SnapshotObject;
  }
}

function event(at: number, id: string, data: object, more: object = {}) {
  return {
    type: "nomad.job.updated",
    subject: subjectOf(id),
    sequence: String(at).padStart(16, "0"),
    data: { op: "update", resource: resourceOf(id), ...data },
    ...more,
  };
}

async function live(bridge: FakeBridge, query: Partial<ObjectsQuery<"jobs">> = {}) {
  const objects = new LiveObjects<Job, "jobs">(
    { type: "jobs", ...query },
    ({ id, stub }) => ({ id, status: stub.Status }),
    bridge.source,
  );
  const stop = objects.start();
  await until("all are read", () => objects.status.value.isWhole);
  const shown = () => Object.fromEntries([...objects.rows.values()].map(({ id, status }) => [id, status]));
  return { objects, shown, stop };
}

it("objects follow their events from where they were read, and those that changed are known", async () => {
  const bridge = new FakeBridge();
  bridge.jobs = [
    { id: "web", status: "running" },
    { id: "api", status: "running" },
  ];
  const { objects, shown, stop } = await live(bridge);
  expect(bridge.streams[0]?.options.cursor).toBe("a-10");
  const { version } = objects.status.value;
  bridge.say(event(11, "web", { after: { Status: "dead" } }));
  bridge.say(event(12, "new", { op: "create", after: { Status: "pending" } }));
  bridge.say(event(13, "api", { op: "delete", before: { Status: "running" } }));
  expect(shown()).toEqual({ web: "dead", new: "pending" });
  await until("it is published", () => objects.status.value.version > version);
  const { gone, come } = objects.status.value.changes;
  expect([...gone].map(({ id }) => id).toSorted()).toEqual(["api", "web"]);
  expect(come.map((row) => objects.changedAtMs(row))).toEqual([expect.any(Number), expect.any(Number)]);
  stop();
  expect(bridge.streams).toEqual([]);
});

it("an object that does not match the filter any longer leaves, in whichever order two streams tell of it", async () => {
  const bridge = new FakeBridge();
  bridge.jobs = [{ id: "web", status: "running" }];
  const { shown, stop } = await live(bridge, { filter: 'Status == "running" or Priority == 70' });
  expect(bridge.streams.map(({ options }) => options.filter)).toEqual([
    'Status == "running" or Priority == 70',
    'not (Status == "running" or Priority == 70)',
  ]);
  bridge.say(event(14, "web", {}), 1);
  expect(shown()).toEqual({});
  // What happened before comes later on the other stream.
  bridge.say(event(12, "web", { after: { Status: "running" } }), 0);
  expect(shown()).toEqual({});
  bridge.say(event(15, "web", { after: { Status: "running" } }), 0);
  expect(shown()).toEqual({ web: "running" });
  stop();
});

it("an object too large for its event is read by itself", async () => {
  const bridge = new FakeBridge();
  bridge.jobs = [{ id: "web", status: "running" }];
  const { shown, stop } = await live(bridge, { filter: 'Status != "pending"' });
  bridge.jobs = [{ id: "web", status: "dead" }];
  // Such an event passes the filter and its opposite.
  bridge.say(event(11, "web", {}, { dataref: "data/a-11" }), 1);
  bridge.say(event(11, "web", {}, { dataref: "data/a-11" }), 0);
  await until("it is read", () => shown()["web"] === "dead");
  expect(bridge.asked).toHaveLength(2);
  stop();
});

it("after a gap all are read anew, and what has gone meanwhile goes", async () => {
  const bridge = new FakeBridge();
  bridge.jobs = [
    { id: "web", status: "running" },
    { id: "api", status: "running" },
  ];
  const { shown, stop } = await live(bridge);
  bridge.jobs = [{ id: "web", status: "dead" }];
  bridge.say({ type: "nomad.feed.gap", data: { reason: "expired" } });
  await until("they are read anew", () => bridge.asked.length === 2 && shown()["web"] === "dead");
  expect(shown()).toEqual({ web: "dead" });
  await until("they are followed", () => bridge.streams.length === 1);
  stop();
});

it("as of a time, nothing is followed", async () => {
  const bridge = new FakeBridge();
  const { stop } = await live(bridge, { at: "a-7" });
  expect(bridge.asked).toEqual([{ types: ["jobs"], at: "a-7" }]);
  expect(bridge.streams).toEqual([]);
  stop();
});

it("rows that are merged are in the order in which all would be sorted", () => {
  const compare = (one: { at: number; id: number }, other: { at: number; id: number }) =>
    one.at - other.at || one.id - other.id;
  assert(
    property(array(record({ at: nat(9), stays: boolean() })), array(nat(9)), (had, added) => {
      const rows = had.map(({ at, stays }, id) => ({ at, id, stays }));
      const come = added.map((at, index) => ({ at, id: rows.length + index, stays: true }));
      const gone = new Set(rows.filter(({ stays }) => !stays));
      const expected = [...rows.filter(({ stays }) => stays), ...come].toSorted(compare);
      expect(mergeRows(rows.toSorted(compare), { gone, come }, compare)).toEqual(expected);
    }),
  );
});
