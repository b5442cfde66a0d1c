import { describe, expect, test } from "vitest";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import { JobMetricsFold } from "../../src/alerts/job-metrics/fold.ts";
import { FoldedEvent } from "../../src/alerts/model/folded-event.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { AlertFeed, HOUR, MINUTE, SECOND } from "../support/alert-feed.ts";
import { changeOf, contextOf, SAMPLES, skippedVersion, taskOf } from "../support/event-fixtures.ts";
import { whole } from "../support/whole-text.ts";

const FAILED = { ClientStatus: "failed", DesiredStatus: "run" };
const REPLACED = { DesiredStatus: "stop" };
const SECOND_ID = "5456bd7a-9fc0-c0dd-6131-000000000002";

/** Another process goes on from the document. */
function failOver(feed: AlertFeed): AlertFeed {
  feed.fold = new AlertFold(feed.rules, decode(whole(encoding(feed.fold.state, Number.POSITIVE_INFINITY))));
  return feed;
}

describe("an alert that comes back", () => {
  test("while it is kept is the same, and is kept for as long again when it ends", () => {
    const feed = new AlertFeed().put("allocations", FAILED).pass(MINUTE);
    const [before] = feed.firing;
    feed.put("allocations", REPLACED).pass(9 * MINUTE);
    expect(feed.firing).toMatchObject([{ id: before?.id, isKept: true }]);
    feed.put("allocations", { ...FAILED, ID: SECOND_ID }).pass(5 * MINUTE);
    expect(feed.firing).toMatchObject([{ startsAt: before?.startsAt, isKept: false }]);
    feed.put("allocations", { ...REPLACED, ID: SECOND_ID }).pass(10 * MINUTE - 1);
    expect(feed.firing).toMatchObject([{ startsAt: before?.startsAt, isKept: true }]);
    feed.pass(1);
    expect(feed.firing).toEqual([]);
    expect(feed.resolved).toMatchObject([{ startsAt: before?.startsAt, reason: "recovered" }]);
  });
});

describe("what is no more", () => {
  test("is known to be so by who goes on, whatever is still heard of it", () => {
    const feed = new AlertFeed().put("namespaces", { Name: "default" }).put("jobs", {});
    feed.put("allocations", FAILED).pass(MINUTE).remove("namespaces", "default");
    expect(feed.resolved).toMatchObject([{ rule: "JobFailing", reason: "namespace removed" }]);
    failOver(feed)
      .put("allocations", { ...FAILED, ID: SECOND_ID })
      .pass(HOUR);
    expect(feed.names).toEqual([]);
  });

  test("counts for nothing against a job that comes under its name", () => {
    const feed = new AlertFeed().put("jobs", {}).put("allocations", { TaskStates: { nginx: taskOf() } });
    const restart = (Restarts: number) =>
      feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts }) } }).pass(SECOND);
    for (let restarts = 1; restarts <= 4; restarts++) restart(restarts);
    feed.put("evaluations", { Status: "blocked" });
    feed.remove("jobs", "web").pass(SECOND).put("jobs", { CreateIndex: 900 });
    restart(5);
    expect(feed.pass(5 * MINUTE).names).toEqual([]);
  });
});

test("what was counted of a node, and a gap, end in their time though the clock was set back", () => {
  const feed = new AlertFeed().put("nodes", {});
  for (let n = 0; n < 3; n++)
    feed.put("nodes", { Status: "down" }).pass(SECOND).put("nodes", { Status: "ready" }).pass(SECOND);
  feed.fold.gap(feed.now, "retention took them");
  expect(feed.names.map((name) => name.split(" ")[0])).toEqual(["FeedGap", "NodeFlapping"]);
  feed.now -= 12 * HOUR;
  feed.fold.resume(feed.now);
  expect(feed.pass(2 * HOUR).names).toEqual([]);
});

test("an alert that was kept ends in its time though the clock was set back while its scope could not be read", () => {
  const feed = new AlertFeed().put("allocations", FAILED).pass(MINUTE).put("allocations", REPLACED);
  expect(feed.pass(SECOND).firing).toMatchObject([{ isKept: true }]);
  feed.say({ kind: "scope", scope: null, state: "stale", reason: "Nomad does not answer" });
  feed.now -= 12 * HOUR;
  feed.fold.resume(feed.now);
  feed.say({ kind: "scope", scope: null, state: "recovered", reason: "" });
  expect(feed.pass(10 * MINUTE).names).toEqual([]);
});

test("versions of a job that no poll saw say nothing of how it is", () => {
  const feed = new AlertFeed().put("jobs", { Stop: true });
  const change = changeOf("jobs", SAMPLES.jobs, { ...SAMPLES.jobs, ModifyIndex: 140, JobModifyIndex: 140 });
  const found = new Map([[change, { skipped: [skippedVersion(4, 130)] }]]);
  const [version] = buildChangeEvents(change, contextOf({}, { found }));
  if (version?.op !== "version") throw new Error("no such event");
  const known = () => structuredClone(feed.fold.state.model);
  const before = known();
  feed.fold.apply({ ...version, json: sealDraft(version, "e", 1) });
  expect(known()).toEqual(before);
  const metrics = new JobMetricsFold(10);
  metrics.apply(new FoldedEvent({ ...version, json: sealDraft(version, "e", 1) }));
  expect([...metrics.counts(0).jobs.keys()]).toEqual(["other"]);
});

test("restarts that one event tells of all count", () => {
  const feed = new AlertFeed().put("allocations", { TaskStates: { nginx: taskOf() } });
  feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts: 5 }) } });
  expect(feed.firing).toMatchObject([{ rule: "JobFlapping", count: 5 }]);
});

test("nothing is exhausted while another attempt is due", () => {
  const RescheduleTracker = { Events: [{ PrevAllocID: "a" }] };
  const feed = new AlertFeed().put("allocations", { ...FAILED, RescheduleTracker, FollowupEvalID: "e" });
  expect(feed.pass(2 * MINUTE).names).toEqual(["JobFailing web/frontend"]);
  feed.put("allocations", { FollowupEvalID: "" });
  expect(feed.pass(2 * MINUTE).names).toEqual(["JobExhausted web/frontend"]);
});

test("a job that fails is not overdue as well, once the failure fires", () => {
  const feed = new AlertFeed().put("jobs", { ID: "backup", Type: "batch", Periodic: true });
  const launched = () => ({ ID: `backup/periodic-${feed.now / 1000}`, ParentID: "backup", Type: "batch" });
  for (let launch = 0; launch < 3; launch++) feed.put("jobs", launched()).pass(HOUR);
  feed.pass(HOUR);
  expect(feed.names).toEqual(["JobOverdue backup"]);
  const { ID: JobID } = launched();
  feed.put("allocations", { ...FAILED, JobID, JobType: "batch" }).pass(MINUTE - 1);
  expect(feed.names).toEqual(["JobOverdue backup"]);
  feed.pass(1);
  expect(feed.names).toEqual(["JobFailing backup/frontend"]);
  expect(feed.resolved).toMatchObject([{ rule: "JobOverdue", reason: "folded into JobFailing" }]);
});
