import { describe, expect, test } from "vitest";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import { AlertFeed, HOUR, MINUTE, SECOND } from "../support/alert-feed.ts";
import { SAMPLES, taskOf } from "../support/event-fixtures.ts";
import { whole } from "../support/whole-text.ts";

const NODE = "fb2170a8-257d-3c64-b14d-bc06cc94e34c";
const id = (number: number) => `5456bd7a-9fc0-c0dd-6131-${String(number).padStart(12, "0")}`;

/** An allocation whose task ended with this code for good. */
const failed = (
  number: number,
  fields: object = {},
  exit: object = { exit_code: "1", oom_killed: "false" },
) => ({
  ID: id(number),
  ClientStatus: "failed",
  TaskStates: { nginx: taskOf({ State: "dead", Failed: true }, [["Terminated", 2_000 + number, exit]]) },
  ...fields,
});

describe("a rollout that fails", () => {
  const deployment = (Status: string, fields: object = {}) => ({ Status, JobVersion: 7, ...fields });

  test("is one alert however many allocations, and one resolve", () => {
    const feed = new AlertFeed();
    feed.put("deployments", deployment("running"));
    for (let number = 0; number < 50; number++) {
      feed.put("allocations", { ID: id(number), JobVersion: 7 }).pass(SECOND);
      feed.put("allocations", failed(number));
      feed.pass(SECOND);
    }
    feed.pass(10 * MINUTE);
    expect(feed.names).toEqual([]);
    feed.put(
      "deployments",
      deployment("failed", { StatusDescription: "Failed due to unhealthy allocations" }),
    );
    expect(feed.names).toEqual(["DeploymentFailed web"]);
    expect(feed.firing[0]).toMatchObject({
      labels: { cluster: "prod", region: "global", namespace: "default", job: "web" },
      count: 50,
      severity: "ERROR",
      summary: "The deployment of web version 7 failed: 50 × exit code 1, all on worker-1",
      details: { description: "Failed due to unhealthy allocations", lastEvents: "nginx: Terminated" },
      page: "jobs/web@default/deployments",
    });
    feed.pass(HOUR);
    expect(feed.names).toEqual(["DeploymentFailed web"]);
    const next = { ID: "7df0c922-795b-2734-2f4b-64fe6959c6f3", JobVersion: 8, CreateIndex: 900 };
    feed.put("deployments", deployment("running", next));
    expect(feed.names).toEqual(["DeploymentFailed web"]);
    feed.put("deployments", deployment("successful", next));
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "DeploymentFailed", reason: "recovered" }]);
  });

  test("leaves what still fails to JobFailing when Nomad forgets the deployment", () => {
    const feed = new AlertFeed().put("allocations", failed(1, { JobVersion: 7 }));
    feed.put("deployments", deployment("failed")).pass(5 * MINUTE);
    expect(feed.names).toEqual(["DeploymentFailed web"]);
    feed.remove("deployments", "6df0c922-795b-2734-2f4b-64fe6959c6f3").pass(2 * MINUTE);
    expect(feed.names).toEqual(["JobFailing web/frontend"]);
    expect(feed.resolved).toMatchObject([{ rule: "DeploymentFailed", reason: "collected" }]);
  });

  test("is stuck once its deadline is over, and waits for a promotion without being stuck", () => {
    const group = {
      DesiredCanaries: 1,
      DesiredTotal: 3,
      PlacedAllocs: 1,
      HealthyAllocs: 1,
      UnhealthyAllocs: 0,
      RequireProgressBy: "2026-11-29T03:10:00Z",
    };
    const running = { ...deployment("running"), TaskGroups: { frontend: group } };
    const feed = new AlertFeed().put("deployments", running).pass(14 * MINUTE);
    expect(feed.names).toEqual([]);
    feed.pass(2 * MINUTE);
    expect(feed.names).toEqual(["DeploymentStuck web"]);
    const StatusDescription = "Deployment is running but requires manual promotion";
    feed.put("deployments", { ...running, StatusDescription });
    expect(feed.names).toEqual(["DeploymentNeedsPromotion web"]);
    feed.put("deployments", { ...running, Status: "successful" });
    expect(feed.names).toEqual([]);
  });
});

describe("a node that dies", () => {
  const die = (feed: AlertFeed) => {
    feed.put("nodes", { Status: "down" });
    for (let number = 0; number < 100; number++) {
      feed.put("allocations", { ID: id(number), ClientStatus: "lost", DesiredStatus: "stop" });
    }
    return feed;
  };

  test("is one alert with all its allocations, and one resolve", () => {
    const feed = new AlertFeed();
    for (let number = 0; number < 100; number++) feed.put("allocations", { ID: id(number) });
    die(feed.put("nodes", {}).pass(MINUTE)).pass(59 * SECOND);
    expect(feed.names).toEqual([]);
    feed.pass(SECOND);
    expect(feed.firing).toMatchObject([
      {
        rule: "NodeDown",
        labels: { node: NODE },
        summary: "Node worker-1 is down and took 100 allocations with it",
        evidence: { length: 5 },
      },
    ]);
    feed.put("nodes", { Status: "ready" }).pass(4 * MINUTE);
    expect(feed.firing).toMatchObject([{ rule: "NodeDown", isKept: true }]);
    feed.pass(MINUTE);
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "NodeDown", reason: "recovered" }]);
  });

  test("is meant to, where it was drained first", () => {
    const drained = { SchedulingEligibility: "ineligible", LastDrain: { Status: "complete" } };
    const feed = new AlertFeed().put("nodes", drained).put("nodes", { Status: "down" }).pass(HOUR);
    expect(feed.names).toEqual([]);
  });

  test("that was disconnected before goes on in one alert", () => {
    const feed = new AlertFeed()
      .put("nodes", {})
      .put("nodes", { Status: "disconnected" })
      .pass(2 * MINUTE);
    expect(feed.names).toEqual([`NodeDisconnected ${NODE}`]);
    feed.put("nodes", { Status: "down" }).pass(30 * SECOND);
    expect(feed.names).toEqual([`NodeDisconnected ${NODE}`]);
    feed.pass(30 * SECOND);
    expect(feed.names).toEqual([`NodeDown ${NODE}`]);
    feed.pass(5 * MINUTE);
    expect(feed.names).toEqual([`NodeDown ${NODE}`]);
  });

  test("and is purged ends with that reason, at once", () => {
    const feed = die(new AlertFeed().put("nodes", {})).pass(MINUTE).remove("nodes", NODE);
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "NodeDown", reason: "node removed" }]);
  });

  test("again and again is flapping while it is up, and down while it is down", () => {
    const feed = new AlertFeed().put("nodes", {});
    for (let time = 0; time < 3; time++) {
      feed
        .put("nodes", { Status: "down" })
        .pass(30 * SECOND)
        .put("nodes", { Status: "ready" })
        .pass(MINUTE);
    }
    expect(feed.firing).toMatchObject([{ rule: "NodeFlapping", count: 3 }]);
    feed.put("nodes", { Status: "down" }).pass(MINUTE);
    expect(feed.names).toEqual([`NodeDown ${NODE}`]);
    expect(feed.resolved).toMatchObject([{ rule: "NodeFlapping", reason: "folded into NodeDown" }]);
    feed.put("nodes", { Status: "ready" }).pass(HOUR);
    expect(feed.names).toEqual([]);
  });

  test("or drains", () => {
    const LastDrain = { StartedAt: "2026-11-29T03:00:00Z", Status: "draining" };
    const feed = new AlertFeed().put("nodes", {
      Drain: true,
      SchedulingEligibility: "ineligible",
      LastDrain,
    });
    feed.put("allocations", { DesiredTransition: { Migrate: true } }).pass(59 * MINUTE);
    expect(feed.names).toEqual([]);
    feed.pass(MINUTE);
    expect(feed.firing).toMatchObject([{ rule: "NodeDrainSlow", count: 1 }]);
    feed.put("nodes", { Drain: false, LastDrain: { ...LastDrain, Status: "complete" } }).pass(5 * MINUTE);
    expect(feed.firing).toMatchObject([{ rule: "NodeDrainIncomplete", count: 1 }]);
    feed.put("allocations", { ClientStatus: "complete", DesiredStatus: "stop" });
    expect(feed.names).toEqual([]);
  });

  test("or loses a driver that it had, not one that it never had", () => {
    const docker = { Detected: false, Healthy: true, HealthDescription: "Healthy" };
    const qemu = { Detected: false, Healthy: false, HealthDescription: "" };
    const feed = new AlertFeed().put("nodes", { Drivers: { docker, qemu } });
    const broken = { ...docker, Healthy: false, HealthDescription: "no daemon" };
    feed.put("nodes", { Drivers: { docker: broken, qemu } }).pass(2 * MINUTE);
    expect(feed.firing).toMatchObject([
      { rule: "DriverUnhealthy", summary: "A task driver of node worker-1 does not work: docker: no daemon" },
    ]);
    feed.put("nodes", { Drivers: { docker, qemu } });
    expect(feed.names).toEqual([]);
  });
});

describe("a job that fails", () => {
  test("is one alert that says why, and ends ten minutes after it recovers", () => {
    const feed = new AlertFeed();
    const oom = { exit_code: "137", oom_killed: "true" };
    feed
      .put("allocations", failed(1, {}, oom))
      .put("allocations", failed(2, { NodeID: "n2", NodeName: "b" }));
    feed.put("allocations", failed(3)).pass(MINUTE);
    expect(feed.firing).toMatchObject([
      {
        rule: "JobFailing",
        count: 3,
        details: {
          why: "2 × exit code 1, 1 × exit code 137, out of memory",
          lastEvents: "nginx: Terminated",
        },
      },
    ]);
    for (const number of [1, 2, 3]) feed.put("allocations", { ID: id(number), DesiredStatus: "stop" });
    feed.pass(10 * MINUTE - 1);
    expect(feed.firing).toMatchObject([{ rule: "JobFailing", isKept: true }]);
    feed.pass(1);
    expect(feed.firing).toEqual([]);
  });

  test("is replaced within a minute and alerts nobody", () => {
    const feed = new AlertFeed().put("allocations", failed(1)).pass(50 * SECOND);
    feed.put("allocations", { ID: id(1), DesiredStatus: "stop" }).pass(HOUR);
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toEqual([]);
  });

  test("is exhausted once nothing follows, in one alert", () => {
    const feed = new AlertFeed().put("allocations", failed(1, { FollowupEvalID: "e" })).pass(2 * MINUTE);
    expect(feed.names).toEqual(["JobFailing web/frontend"]);
    const RescheduleTracker = { Events: [{ PrevAllocID: "a" }] };
    feed.put("allocations", failed(1, { FollowupEvalID: "", RescheduleTracker })).pass(2 * MINUTE);
    expect(feed.names).toEqual(["JobExhausted web/frontend"]);
    expect(feed.resolved).toMatchObject([{ rule: "JobFailing", reason: "folded into JobExhausted" }]);
  });

  test("fails no more once it is stopped, though its allocation is still to run, and its children go on", () => {
    const RescheduleTracker = { Events: [{ PrevAllocID: "a" }] };
    const run = { JobID: "backup/dispatch-1", JobType: "batch" };
    const feed = new AlertFeed()
      .put("jobs", {})
      .put("jobs", { ID: "api" })
      .put("jobs", { ID: "backup", Type: "batch", ParameterizedJob: true })
      .put("allocations", failed(1))
      .put("allocations", failed(2, { JobID: "api", RescheduleTracker }))
      .put("allocations", failed(3, run))
      .pass(MINUTE);
    expect(feed.names).toEqual([
      "JobExhausted api/frontend",
      "JobFailing backup/frontend",
      "JobFailing web/frontend",
    ]);
    for (const ID of ["web", "api", "backup"]) feed.put("jobs", { ID, Stop: true, Status: "dead" });
    expect(feed.names).toEqual(["JobFailing backup/frontend"]);
    expect(feed.resolved.map(({ reason }) => reason)).toEqual(["stopped", "stopped"]);
    feed.put("jobs", { Stop: false, Status: "running" }).pass(MINUTE);
    expect(feed.names).toEqual(["JobFailing backup/frontend", "JobFailing web/frontend"]);
  });

  test("flaps, and the alert has both ends", () => {
    const feed = new AlertFeed().put("allocations", { TaskStates: { nginx: taskOf() } });
    for (let Restarts = 1; Restarts <= 5; Restarts++) {
      feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts }) } }).pass(MINUTE);
    }
    const flapping = {
      rule: "JobFlapping",
      summary: "Tasks of web/frontend restarted 5 times in 10 minutes",
      details: { example: SAMPLES.allocations["ID"] },
    };
    expect(feed.firing).toMatchObject([flapping]);
    feed.fold = new AlertFold(feed.rules, decode(whole(encoding(feed.fold.state, Number.POSITIVE_INFINITY))));
    expect(feed.firing).toMatchObject([flapping]);
    feed.pass(6 * MINUTE);
    expect(feed.firing).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "JobFlapping", reason: "recovered" }]);
    expect(Date.parse(feed.resolved[0]?.endsAt ?? "")).toBe(feed.now - MINUTE);
  });

  test("of restarts that nobody saw nothing is made", () => {
    const feed = new AlertFeed().put("allocations", { TaskStates: { nginx: taskOf() } });
    feed.mode = "catchup";
    feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts: 40 }) } });
    expect(feed.names).toEqual([]);
  });

  test("runs out of memory, and the alert folds into the failure that follows", () => {
    const killed = (time: number) =>
      taskOf({}, [["Terminated", time, { exit_code: "137", oom_killed: "true" }]]);
    const feed = new AlertFeed().put("allocations", { ID: id(1), TaskStates: { nginx: taskOf() } });
    feed.put("allocations", { ID: id(1), TaskStates: { nginx: killed(5) } });
    expect(feed.names).toEqual(["OomKilled web/frontend"]);
    expect(feed.firing).toMatchObject([
      { summary: expect.stringContaining("killed (1 time in 10 minutes)"), details: { example: id(1) } },
    ]);
    feed.put("allocations", failed(1)).pass(MINUTE);
    expect(feed.firing).toMatchObject([
      { summary: expect.stringMatching(/^1 allocation of web\/frontend failed, not replaced yet: /) },
    ]);
  });

  test("of a schedule: the next run that completes ends it, whatever Nomad keeps of the former", () => {
    const run = (number: number, launch: number) => ({
      ID: id(number),
      JobID: `backup/periodic-${launch}`,
      JobType: "batch",
      CreateIndex: number,
    });
    const feed = new AlertFeed().put("allocations", { ...failed(1), ...run(1, 1_795_441_500) }).pass(MINUTE);
    expect(feed.names).toEqual(["JobFailing backup/frontend"]);
    feed.put("allocations", { ...run(2, 1_795_441_600), ClientStatus: "complete" }).pass(10 * MINUTE);
    expect(feed.names).toEqual([]);
  });

  test("finds no place, and the alert has Nomad's reasons", () => {
    const metric = {
      DimensionExhausted: { memory: 3 },
      ConstraintFiltered: { "${attr.kernel.name} = windows": 1 },
    };
    const blocked = { Status: "blocked", QuotaLimitReached: "small", FailedTGAllocs: { frontend: metric } };
    const feed = new AlertFeed().put("evaluations", blocked).pass(2 * MINUTE);
    expect(feed.firing).toMatchObject([
      {
        rule: "PlacementBlocked",
        summary:
          "Allocations of web find no place: frontend: constraint ${attr.kernel.name} = windows excludes 1 node, memory exhausted on 3 nodes; quota small is used up",
      },
    ]);
    feed.put("evaluations", { Status: "complete" });
    expect(feed.names).toEqual([]);
  });

  test("finds no place until somebody stops it, which is no recovery", () => {
    const feed = new AlertFeed()
      .put("jobs", {})
      .put("evaluations", { Status: "blocked" })
      .pass(2 * MINUTE);
    feed.put("jobs", { Stop: true });
    feed.put("evaluations", { Status: "canceled" });
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "PlacementBlocked", reason: "stopped" }]);
  });

  test("finds no place when it is registered again, whichever of job and evaluation is read first", () => {
    for (const isJobFirst of [true, false]) {
      const feed = new AlertFeed().put("jobs", {}).pass(MINUTE).remove("jobs", "web").pass(MINUTE);
      if (isJobFirst) feed.put("jobs", {});
      feed.put("evaluations", { Status: "blocked" });
      if (!isJobFirst) feed.put("jobs", {});
      feed.pass(2 * MINUTE);
      expect(feed.names).toEqual(["PlacementBlocked web"]);
    }
  });

  test("finds no place in place of one that did not either, whenever the end of that is read", () => {
    const feed = new AlertFeed()
      .put("jobs", { CreateIndex: 100 })
      .put("evaluations", { Status: "blocked", CreateIndex: 101 })
      .put("evaluations", { ID: id(2), Status: "blocked", CreateIndex: 200 })
      .remove("jobs", "web")
      .put("jobs", { CreateIndex: 200 })
      .pass(2 * MINUTE);
    expect(feed.firing).toMatchObject([{ rule: "PlacementBlocked", count: 1 }]);
    feed.put("evaluations", { ID: id(2), Status: "complete" });
    expect(feed.names).toEqual([]);
  });

  test("is a child that is gone, and its evaluation that is read later says nothing", () => {
    const feed = new AlertFeed()
      .put("jobs", { ID: "backup", Type: "batch", ParameterizedJob: true })
      .put("jobs", { ID: "backup/dispatch-1", ParentID: "backup", Type: "batch" })
      .remove("jobs", "backup/dispatch-1")
      .put("evaluations", { JobID: "backup/dispatch-1", Status: "blocked" })
      .pass(2 * MINUTE);
    expect(feed.names).toEqual([]);
  });

  test("of a schedule is overdue at twice its longest pause", () => {
    const feed = new AlertFeed().put("jobs", { ID: "backup", Type: "batch", Periodic: true });
    for (let launch = 0; launch < 3; launch++) {
      const ID = `backup/periodic-${feed.now / 1000}`;
      feed.put("jobs", { ID, ParentID: "backup", Type: "batch", Status: "dead" }).pass(HOUR);
    }
    feed.pass(HOUR - 1);
    expect(feed.names).toEqual([]);
    feed.pass(1);
    expect(feed.firing).toMatchObject([{ rule: "JobOverdue", details: { expectedWithin: "2h" } }]);
    const ID = `backup/periodic-${feed.now / 1000}`;
    feed.put("jobs", { ID, ParentID: "backup", Type: "batch" });
    expect(feed.names).toEqual([]);
  });
});

describe("what takes the subject of an alert away", () => {
  const failing = () =>
    new AlertFeed()
      .put("namespaces", { Name: "default" })
      .put("jobs", {})
      .put("allocations", failed(1))
      .pass(MINUTE);

  test("a purge resolves it at once and says so", () => {
    const feed = failing().remove("jobs", "web");
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "JobFailing", reason: "purged" }]);
  });

  test("the removal of the namespace resolves it and says so", () => {
    const feed = failing().remove("namespaces", "default");
    expect(feed.names).toEqual([]);
    expect(feed.resolved).toMatchObject([{ rule: "JobFailing", reason: "namespace removed" }]);
  });

  test("lost access resolves nothing, begins nothing, and says so", () => {
    const scope = { resource: "allocations", namespace: "default" } as const;
    const feed = failing();
    feed.say({ kind: "scope", scope, state: "access-lost", reason: "the token may not list" });
    expect(feed.names).toEqual(["FeedAccessLost allocations/default", "JobFailing web/frontend"]);
    feed.put("allocations", { ID: id(1), DesiredStatus: "stop" }).pass(HOUR);
    expect(feed.names).toEqual(["FeedAccessLost allocations/default", "JobFailing web/frontend"]);
    feed.say({ kind: "scope", scope, state: "access-restored", reason: "" }).pass(10 * MINUTE);
    expect(feed.names).toEqual([]);
  });

  test("the removal of the namespace ends what is said of its scopes, whichever is read first", () => {
    for (const isSaidFirst of [true, false]) {
      const feed = new AlertFeed().put("namespaces", { Name: "default" });
      const scope = { resource: "jobs", namespace: "default" } as const;
      const lose = () => feed.say({ kind: "scope", scope, state: "access-lost", reason: "refused" });
      if (isSaidFirst) lose();
      feed.remove("namespaces", "default");
      if (!isSaidFirst) lose();
      expect(feed.names).toEqual([]);
      expect(feed.resolved.map(({ reason }) => reason)).toEqual(isSaidFirst ? ["namespace removed"] : []);
    }
  });

  test("a feed that sees nothing lets all stand still, and says so after a minute", () => {
    const feed = failing().put("nodes", {}).put("nodes", { Status: "down" });
    feed
      .say({ kind: "scope", scope: null, state: "stale", reason: "Nomad does not answer" })
      .pass(2 * MINUTE);
    expect(feed.names).toEqual(["FeedStale feed", "JobFailing web/frontend"]);
    feed.say({ kind: "scope", scope: null, state: "recovered", reason: "" });
    expect(feed.names).toEqual(["JobFailing web/frontend", `NodeDown ${NODE}`]);
  });
});

test("an event that is heard of late begins and ends alerts at its own time, as for whoever hears it in time", () => {
  const [late, inTime] = [new AlertFeed(), new AlertFeed()].map((feed) => {
    feed.put("nodes", {}).pass(SECOND);
    return feed;
  }) as [AlertFeed, AlertFeed];
  for (const Status of ["down", "ready"]) {
    for (const feed of [late, inTime]) {
      feed.pass(2 * MINUTE);
      if (feed === late) feed.fold.tick(feed.now + 700);
      feed.put("nodes", { Status });
    }
  }
  for (const feed of [late, inTime]) feed.pass(HOUR / 2);
  expect(late.resolved).toHaveLength(1);
  expect(late.resolved).toEqual(inTime.resolved);
});

describe("time in which nobody looks", () => {
  test("what recovered is resolved, what began is marked, what was purged says so", () => {
    const feed = new AlertFeed().put("jobs", {}).put("jobs", { ID: "old" }).put("nodes", {});
    feed
      .put("allocations", failed(1))
      .put("allocations", failed(2, { JobID: "old" }))
      .pass(MINUTE);
    expect(feed.names).toEqual(["JobFailing old/frontend", "JobFailing web/frontend"]);
    feed.now += 8 * HOUR;
    feed
      .putUnseen("allocations", { ID: id(1), DesiredStatus: "stop" })
      .putUnseen("nodes", { Status: "down" });
    feed.removeUnseen("jobs", "old");
    feed.removeUnseen("allocations", id(2));
    feed.seed();
    feed.fold.gap(feed.now, "retention took events that alerts had not read");
    expect(feed.resolved.map(({ labels, reason }) => `${labels["job"]} ${reason}`).toSorted()).toEqual([
      "old gone",
      "web recovered",
    ]);
    feed.pass(MINUTE);
    expect(feed.names).toEqual(["FeedGap feed", `NodeDown ${NODE}`]);
    expect(feed.firing.find(({ rule }) => rule === "NodeDown")?.beganMeanwhile).toBe(true);
    feed.pass(HOUR);
    expect(feed.names).toEqual([`NodeDown ${NODE}`]);
  });

  test("what still fires is the same alert", () => {
    const feed = new AlertFeed().put("jobs", {}).put("allocations", failed(1)).pass(MINUTE);
    const [before] = feed.firing;
    feed.now += 8 * HOUR;
    feed.seed();
    expect(feed.firing).toMatchObject([
      { id: before?.id, startsAt: before?.startsAt, beganMeanwhile: false },
    ]);
    expect(feed.resolved).toEqual([]);
  });
});

test("an event too large to hold its object still says that an allocation failed", () => {
  const feed = new AlertFeed().put("allocations", { ID: id(1) });
  const Events = Array.from({ length: 10 }, (_, Time) => ({
    Type: "Started",
    Time,
    Message: "x".repeat(9000),
  }));
  const TaskStates = { nginx: { ...taskOf({ State: "dead", Failed: true }), Events } };
  feed.put("allocations", { ID: id(1), ClientStatus: "failed", TaskStates }).pass(MINUTE);
  expect(feed.names).toEqual(["JobFailing web/frontend"]);
});

test("an event too large to hold its object still says that a job was started again", () => {
  const feed = new AlertFeed().put("jobs", {}).put("jobs", { Stop: true });
  feed.put("deployments", { Status: "failed" });
  expect(feed.names).toEqual([]);
  feed.put("jobs", { Stop: false, Status: "pending", Datacenters: ["x".repeat(70_000)] });
  expect(feed.names).toEqual(["DeploymentFailed web"]);
});

test("an event too large to hold its object still says that a node is down, and that it is back", () => {
  const feed = new AlertFeed().put("nodes", { Address: "x".repeat(70_000) }).put("nodes", { Status: "down" });
  expect(feed.pass(MINUTE).names).toEqual([`NodeDown ${NODE}`]);
  expect(feed.put("nodes", { Status: "ready" }).pass(5 * MINUTE).names).toEqual([]);
});

test("an event too large to hold its object still says that an evaluation is blocked, and why", () => {
  const metric = (name: string) => ({ DimensionExhausted: { memory: 1 }, Scores: name.repeat(9000) });
  const groups = Object.fromEntries(["api", "web", "db"].map((name) => [name, metric(name)]));
  const feed = new AlertFeed().put("evaluations", { Status: "blocked", FailedTGAllocs: groups });
  expect(feed.pass(2 * MINUTE).firing).toMatchObject([
    {
      rule: "PlacementBlocked",
      details: { why: expect.stringContaining("web: memory exhausted on 1 node") },
    },
  ]);
  feed.put("evaluations", { StatusDescription: "x" }).put("jobs", {}).put("jobs", { Status: "pending" });
  expect(feed.names).toEqual(["PlacementBlocked web"]);
  feed.put("evaluations", { Status: "complete" });
  expect(feed.names).toEqual([]);
});

describe("the document", () => {
  test("that does not fit keeps what fires, and is seeded before it goes on", () => {
    const feed = new AlertFeed().put("jobs", {}).put("allocations", failed(1)).pass(MINUTE);
    const text = whole(encoding(feed.fold.state, 900));
    expect(Buffer.byteLength(text)).toBeLessThan(900);
    feed.fold = new AlertFold(feed.rules, decode(text));
    expect([feed.fold.needsSeed, feed.names]).toEqual([true, ["JobFailing web/frontend"]]);
    expect(() => feed.put("jobs", { ID: "other" })).toThrow("must be seeded");
    feed.seed().pass(HOUR);
    expect([feed.fold.needsSeed, feed.names]).toEqual([false, ["JobFailing web/frontend"]]);
  });

  test("of another version is none", () => {
    expect(decode('{"version":2,"alerts":[]}')).toBeUndefined();
  });
});
