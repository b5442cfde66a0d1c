import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { AssignmentPlan } from "../../src/coordination/coordination.ts";
import { keepWithin } from "../../src/feed/retention.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import type { PlannerOptions } from "../../src/pollers/planner.ts";
import type { PollerOptions } from "../../src/pollers/poller.ts";
import { PollerAssignments } from "../../src/pollers/poller-assignments.ts";
import type { Supervisor } from "../../src/pollers/supervisor.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable, type Breakage } from "../support/breakable-log.ts";
import { parseEvent, type SeenEvent } from "../support/feed-check.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { until } from "../support/until.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const namespace = (name: string, created: number) => ({
  CreateIndex: created,
  ModifyIndex: created,
  Name: name,
});
const job = (id: string, space: string, rev: number) => ({
  CreateIndex: rev,
  ID: id,
  ModifyIndex: rev,
  Name: id,
  Namespace: space,
});

describe("the supervisor", () => {
  let directory: string;
  let log: ReturnType<typeof breakable> & { failScopes: number; plans: number };
  let nomad: ScriptedNomad;
  let metrics: ReturnType<typeof createMetrics>;
  let abort: AbortController;
  let running: Promise<unknown>;
  let supervisor: Supervisor;
  let assignments: PollerAssignments;
  let local: LocalAssignments;
  let skewMs: number;
  let longestSleepMs: number;
  /** Real time, but a test may let minutes pass, and shorten sleeps. */
  const clock: Clock = {
    ...systemClock,
    elapsed: () => performance.now() + skewMs,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, longestSleepMs), signal),
  };

  const start = (options: Partial<PlannerOptions & PollerOptions> = {}, restMs = 5_000) => {
    const logger = silentLogger();
    local = new LocalAssignments({ worker: "test", logger, metrics, clock: systemClock, restMs });
    const deps = {
      nomad,
      log,
      logger,
      metrics,
      clock,
      random: () => 0.01,
      announce: (plan: AssignmentPlan) => local.announce(plan),
      broadcast: null,
      trim: (signal: AbortSignal) => keepWithin(log, {}, { logger, metrics, clock: systemClock, signal }),
      nomadReady: Promise.resolve(),
    };
    assignments = new PollerAssignments(deps, {
      source: "nomad://test/global",
      owner: "test",
      waitMs: 60_000,
      consistency: "default",
      baseline: "marker",
      maxEventBytes: 65_536,
      reading: "auto",
      fullEveryMs: 300_000,
      staleAfterMs: 30_000,
      checkpointEveryMs: 0,
      pace: { perSecond: 1000, burst: 1000 },
      resources: ["namespaces", "jobs"],
      namespaces: null,
      maxScopes: 50,
      ...options,
    });
    supervisor = assignments.supervisor;
    running = Promise.all([local.run(assignments, abort.signal), supervisor.run(abort.signal)]);
  };
  const watched = () =>
    supervisor
      .reports()
      .map((report) => scopeName(report.scope))
      .toSorted();
  const watching = (...names: string[]) =>
    until(
      `watching ${names.join(", ")}`,
      () => watched().join() === names.join() && supervisor.reports().every((report) => report.baselined),
    );
  const events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await log.head();
    return (await log.read({ epoch, sequence: floor }, { limit: 1000 })).map((entry) =>
      parseEvent(entry.json),
    );
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-supervisor-"));
    const file = await openSqlite({ path: join(directory, "feed.db"), source: "nomad://test/global" });
    log = Object.assign(breakable(file), {
      failScopes: 0,
      plans: 0,
      scopes: async () => {
        log.plans += 1;
        if (log.failScopes-- > 0) throw new LogUnavailable("busy");
        return file.scopes();
      },
    });
    nomad = new ScriptedNomad();
    nomad.set("namespaces/-", 10, [namespace("default", 1)]);
    nomad.set("jobs/default", 10, [job("web", "default", 5)]);
    metrics = createMetrics();
    abort = new AbortController();
    skewMs = 0;
    longestSleepMs = Number.POSITIVE_INFINITY;
  });

  afterEach(async () => {
    abort.abort(new Error("end of test"));
    await running;
    await log[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("follows namespaces as they come and go, and counts what is in a new one as news", async () => {
    start();
    await watching("jobs/default", "namespaces/-");
    nomad.set("jobs/qa", 21, [job("early", "qa", 21)]);
    nomad.set("namespaces/-", 20, [namespace("default", 1), namespace("qa", 20)]);
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    const early = await until("the job", async () => (await events()).find((event) => event.key === "early"));
    expect(early.op).toBe("create");
    nomad.absent.add("qa");
    nomad.set("jobs/qa", 30, []);
    nomad.set("namespaces/-", 30, [namespace("default", 1)]);
    await watching("jobs/default", "namespaces/-");
    expect((await events()).filter((event) => event.op === "delete").map((event) => event.key)).toEqual(
      expect.arrayContaining(["early", "qa"]),
    );
    expect(await metrics.registry.metrics()).not.toContain('namespace="qa"');
  });

  it("takes a namespace that merely came to sight for old: a baseline, no flood of creates", async () => {
    nomad.set("namespaces/-", 100, [namespace("default", 1)]);
    start();
    await watching("jobs/default", "namespaces/-");
    nomad.set("jobs/qa", 90, [job("old", "qa", 50)]);
    nomad.set("namespaces/-", 110, [namespace("default", 1), namespace("qa", 40)]);
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    const seen = await events();
    expect(seen.map((event) => event.key)).not.toContain("old");
    expect(seen.map((event) => event.subject)).toContain("feed/jobs/qa");
  });

  it("goes on planning where the log fails for a moment", async () => {
    log.failScopes = 2;
    start();
    await watching("jobs/default", "namespaces/-");
    await until("planned", () => assignments.waitingForPlan().length === 0);
  });

  it("folds into * where namespaces are more than connections, without telling anything twice", async () => {
    start({ maxScopes: 3 });
    await watching("jobs/default", "namespaces/-");
    const all = ["default", "qa", "prod"];
    nomad.set(
      "jobs/*",
      40,
      all.map((space, position) => job(`in-${space}`, space, 30 + position)).concat(job("web", "default", 5)),
    );
    nomad.set(
      "namespaces/-",
      35,
      all.map((name, position) => namespace(name, position === 0 ? 1 : 30)),
    );
    await watching("jobs/*", "namespaces/-");
    const created = (await events()).filter(
      (event) => event.op === "create" && event.subject.startsWith("jobs/"),
    );
    expect(created.map((event) => event.key).toSorted()).toEqual(["in-default", "in-prod", "in-qa"]);
    nomad.absent.add("qa").add("prod");
    const left = [job("in-default", "default", 30), job("web", "default", 5)];
    nomad.set("jobs/default", 50, left);
    nomad.set("jobs/*", 50, left);
    nomad.set("namespaces/-", 50, [namespace("default", 1)]);
    await watching("jobs/default", "namespaces/-");
    const deleted = (await events()).filter((event) => event.op === "delete");
    expect(deleted.map((event) => event.key).toSorted()).toEqual(["in-prod", "in-qa", "prod", "qa"]);
    expect(new Set((await events()).map((event) => event.id)).size).toBe((await events()).length);
  });

  describe("where objects outlive their namespace", () => {
    /** Nomad lists these jobs, whether their namespaces exist or not. */
    const jobs = (index: number, ...all: ReturnType<typeof job>[]) => {
      nomad.set("jobs/*", index, all);
      for (const space of ["default", "ghost", "ghoul"]) {
        const own = all.filter((each) => each.Namespace === space);
        nomad.set(`jobs/${space}`, index, own);
      }
    };
    const web = job("web", "default", 5);
    const told = async () =>
      (await events())
        .filter((event) => event.op !== null && event.subject.startsWith("jobs/"))
        .map((event) => `${event.op} ${event.subject.slice("jobs/".length)}`);
    const toldAll = (...lines: string[]) =>
      until(lines.join(", "), async () => {
        const now = await told();
        return lines.every((line) => now.includes(line));
      });

    beforeEach(() => {
      nomad.absent.add("ghost").add("ghoul");
      jobs(10, web);
    });

    it("tells what a namespace left that came and went while nobody looked, once and to its end", async () => {
      start();
      await watching("jobs/default", "namespaces/-");
      abort.abort(new Error("away"));
      await running;
      abort = new AbortController();
      nomad.set("namespaces/-", 40, [namespace("default", 1)]);
      jobs(39, web, job("batch", "ghost", 32));
      start();
      await toldAll("create ghost/batch");
      jobs(50, web, { ...job("batch", "ghost", 32), ModifyIndex: 50 });
      await toldAll("update ghost/batch");
      jobs(60, web);
      await toldAll("delete ghost/batch");
      await watching("jobs/default", "namespaces/-");
      expect(await told()).toEqual(["create ghost/batch", "update ghost/batch", "delete ghost/batch"]);
      expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
    });

    it("tells what a namespace left that came and went between two polls", async () => {
      start();
      await watching("jobs/default", "namespaces/-");
      jobs(21, web, job("batch", "ghost", 20));
      nomad.set("namespaces/-", 22, [namespace("default", 1)]);
      await toldAll("create ghost/batch");
      expect(await told()).toHaveLength(1);
    });

    it("keeps what it found in the plan until it was read, however long that takes", async () => {
      longestSleepMs = 20;
      start();
      await watching("jobs/default", "namespaces/-");
      nomad.hang("jobs/ghost");
      jobs(21, web, job("batch", "ghost", 20));
      nomad.set("namespaces/-", 22, [namespace("default", 1)]);
      await until("it is claimed", async () =>
        (await log.scopes()).some(({ scope }) => scope.namespace === "ghost"),
      );
      const planned = log.plans;
      await until("it was planned several times more", () => log.plans > planned + 5);
      expect(watched()).toContain("jobs/ghost");
      nomad.answer("jobs/ghost");
      await toldAll("create ghost/batch");
    });

    it("takes what was there when the feed began for its baseline", async () => {
      jobs(10, web, job("old", "ghost", 7));
      start();
      await watching("jobs/default", "jobs/ghost", "namespaces/-");
      jobs(30, web, { ...job("old", "ghost", 7), ModifyIndex: 30 }, job("new", "ghoul", 29));
      nomad.set("namespaces/-", 31, [namespace("default", 1)]);
      await toldAll("update ghost/old", "create ghoul/new");
      expect(await told()).toHaveLength(2);
    });

    it("finds it now and then where the list of namespaces says nothing", async () => {
      longestSleepMs = 20;
      start();
      await watching("jobs/default", "namespaces/-");
      await until("the first scan", () => nomad.requests.some((request) => request.namespace === "*"));
      jobs(21, web, job("batch", "ghost", 20));
      skewMs = 5 * 60_000 + 1_000;
      await toldAll("create ghost/batch");
    });

    it("goes on where Nomad does not tell which namespaces there are", async () => {
      longestSleepMs = 20;
      start();
      await watching("jobs/default", "namespaces/-");
      abort.abort(new Error("away"));
      await running;
      abort = new AbortController();
      nomad.hang("namespaces/-");
      jobs(21, web, job("batch", "ghost", 20));
      const asked = nomad.requests.length;
      start();
      await until("the list of namespaces is asked for", () => nomad.requests.length > asked);
      skewMs = 61_000;
      await toldAll("create ghost/batch");
    });

    it("tells the end of what it saw under * and nobody watches after", async () => {
      nomad.set("namespaces/-", 10, [namespace("default", 1), namespace("ghoul", 2), namespace("qa", 3)]);
      start({ maxScopes: 3 });
      await watching("jobs/*", "namespaces/-");
      jobs(20, web, job("seen", "ghost", 20));
      await toldAll("create ghost/seen");
      abort.abort(new Error("away"));
      await running;
      abort = new AbortController();
      jobs(30, web);
      nomad.absent.add("qa");
      nomad.set("namespaces/-", 30, [namespace("default", 1)]);
      start();
      await toldAll("delete ghost/seen");
      await watching("jobs/default", "namespaces/-");
      expect(await told()).toEqual(["create ghost/seen", "delete ghost/seen"]);
    });

    it("folds into * where they are more than connections", async () => {
      longestSleepMs = 20;
      start({ maxScopes: 3 });
      await watching("jobs/default", "namespaces/-");
      jobs(30, web, job("a", "ghost", 21), job("b", "ghoul", 22));
      nomad.set("namespaces/-", 31, [namespace("default", 1)]);
      await toldAll("create ghost/a", "create ghoul/b");
      await watching("jobs/*", "namespaces/-");
      jobs(40, web);
      await toldAll("delete ghost/a", "delete ghoul/b");
      await watching("jobs/default", "namespaces/-");
      expect(await told()).toHaveLength(4);
    });

    it("goes on with a namespace that is created again with leftovers of the former one", async () => {
      start();
      await watching("jobs/default", "namespaces/-");
      jobs(21, web, job("batch", "ghost", 20));
      nomad.set("namespaces/-", 22, [namespace("default", 1)]);
      await toldAll("create ghost/batch");
      nomad.absent.delete("ghost");
      nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("ghost", 30)]);
      jobs(31, web, job("batch", "ghost", 20), job("next", "ghost", 31));
      await toldAll("create ghost/next");
      jobs(40, web, job("next", "ghost", 31));
      await toldAll("delete ghost/batch");
      expect(await told()).toHaveLength(3);
      expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
      expect(watched()).toEqual(["jobs/default", "jobs/ghost", "namespaces/-"]);
    });

    it("hears what happens in one that is created again: streams hear the namespaces there were when they began", async () => {
      nomad.streams.allow();
      start({ reading: "hinted" });
      await watching("jobs/default", "namespaces/-");
      jobs(21, web, job("batch", "ghost", 20));
      nomad.set("namespaces/-", 22, [namespace("default", 1)]);
      await toldAll("create ghost/batch");
      await until("the stream hears both", () => nomad.streams.opened.length === 2);
      nomad.absent.delete("ghost");
      nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("ghost", 30)]);
      await until("another stream is begun", () => nomad.streams.opened.length === 3);
    });
  });

  it("replaces a loop that stopped moving, and goes on", async () => {
    longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    const asksAtOnce = () =>
      nomad.requests.filter((request) => request.namespace === "default" && request.index === undefined)
        .length;
    expect(asksAtOnce()).toBe(1);
    skewMs = supervisor.stuckAfterMs + 1_000;
    await until("the new loop's first list", () => asksAtOnce() === 2);
    nomad.set("jobs/default", 20, [job("web", "default", 5), job("late", "default", 15)]);
    await until("what came later", async () => (await events()).some((event) => event.key === "late"));
  });

  it("leaves a scope to the process that took it over, and says that it is not ready", async () => {
    longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    await log.claim({ resource: "jobs", namespace: "default" }, "the other one");
    nomad.set("jobs/default", 20, [job("web", "default", 15)]);
    await watching("namespaces/-");
    nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("qa", 30)]);
    await watching("jobs/qa", "namespaces/-");
    expect(local.owed()).toEqual([{ assignment: "jobs/default", why: "another process took it over" }]);
    expect(await local.statuses()).toContainEqual(
      expect.objectContaining({ assignment: "jobs/default", state: "fenced", worker: null }),
    );
    expect((await events()).map((event) => event.key)).not.toContain("web");
  });

  it("asks Nomad for no more lists while the log takes none of what was read, and goes on when it does", async () => {
    nomad.set("namespaces/-", 10, [namespace("default", 1), namespace("qa", 2)]);
    nomad.set("jobs/qa", 10, [job("calm", "qa", 5)]);
    start({ maxBacklogBytes: 100, checkpointEveryMs: 3_600_000 });
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    let away = true;
    const refuse: Breakage = (_commit, write) => {
      if (!away) return write();
      log.breakNext(refuse);
      return Promise.reject(new LogUnavailable("Redis is away"));
    };
    log.breakNext(refuse);
    const web = { ...job("web", "default", 20), Name: "x".repeat(200) };
    nomad.set("jobs/default", 20, [web]);
    const gauge = async (name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, "m").exec(await metrics.registry.metrics())?.[1]);
    await until(
      "the list waits for the log",
      async () => (await gauge("nomad_changefeed_backlog_lists")) === 1,
    );
    expect(await gauge("nomad_changefeed_backlog_bytes")).toBeGreaterThan(200);
    expect(await gauge("nomad_changefeed_commit_bytes")).toBeGreaterThan(200);
    // The open query of the calm scope ends with nothing to write: its next one is not asked.
    const asked = nomad.requests.length;
    nomad.set("jobs/qa", 30, [job("calm", "qa", 5)]);
    await until("the calm scope says why it waits", () =>
      /the log does not take/.test(supervisor.report("jobs/qa")?.reason ?? ""),
    );
    nomad.set("jobs/qa", 40, [job("calm", "qa", 35)]);
    expect(supervisor.report("jobs/qa")).toMatchObject({ upToDate: false });
    expect(nomad.requests).toHaveLength(asked);
    away = false;
    await until("everything is in the log", async () => {
      const keys = new Set((await events()).map((event) => event.key));
      return keys.has("web") && keys.has("calm");
    });
    await until("nothing waits", async () => (await gauge("nomad_changefeed_backlog_bytes")) === 0);
    expect(nomad.requests.length).toBeGreaterThan(asked);
  });

  it("does not run in circles over a namespace that is asked for by name and does not exist", async () => {
    nomad.absent.add("ghost");
    nomad.set("jobs/ghost", 10, []);
    start({ resources: ["jobs"], namespaces: ["ghost"] });
    await watching("jobs/ghost");
    nomad.set("jobs/ghost", 20, [job("a", "ghost", 15)]);
    await until("the job", async () => (await events()).some((event) => event.key === "a"));
    nomad.set("jobs/ghost", 30, []);
    await until("its delete", async () => (await events()).some((event) => event.op === "delete"));
    await until("the scope's end", () => watched().length === 0);
    expect(local.owed().map(({ assignment }) => assignment)).toEqual(["jobs/ghost"]);
    expect(nomad.requests.length).toBeLessThan(12);
  });
});
