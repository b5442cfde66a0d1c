import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openSharedAssignments } from "../../src/coordination/bullmq/open.ts";
import type { SharedAssignments } from "../../src/coordination/bullmq/shared-assignments.ts";
import {
  STANDING_ASSIGNMENTS,
  type AssignmentPlan,
  type Ending,
} from "../../src/coordination/coordination.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { planOf, TestHolder } from "../support/assignment-holders.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { TestClock } from "../support/test-clock.ts";
import { until, untilBy } from "../support/until.ts";

/** How long a lock lives, and who says nothing is waited for: by the clock of Redis, so this time is real. */
const TIMEOUT_MS = 2_000;
/** Locks that outlive every patience here: what goes on before they end did not wait for that. */
const LONG_TIMEOUT_MS = 300_000;
/** Of the workers' own time, in which they go their rounds, each time a test asks whether they are so far. */
const STEP_MS = 200;

/** One process of a feed; whoever plans announces the team's plan at once. */
class Worker extends TestHolder {
  readonly coordination: SharedAssignments;
  readonly lines: string[];
  readonly metrics = createMetrics();
  /** How often it heard the plan. */
  rounds = 0;
  readonly #team: Team;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(team: Team, name: string, url: string) {
    super();
    this.#team = team;
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    const feed = `${url}?feed=${team.feed}`;
    this.coordination = openSharedAssignments({
      url: feed,
      worker: name,
      timeoutMs: team.timeoutMs,
      logger,
      metrics: this.metrics,
      clock: team.clock,
    });
    this.#running = this.coordination.run(this, this.#stop.signal);
  }

  override async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    if (this.#team.workers.some((other) => other !== this && other.performing.has(assignment))) {
      this.#team.doneTwice.push(assignment);
    }
    const performing = super.perform(assignment, signal);
    if (assignment === "plan") await this.coordination.announce(this.#team.plan).catch(() => undefined);
    return performing;
  }

  override follow(plan: AssignmentPlan): void {
    super.follow(plan);
    this.rounds += 1;
  }

  async value(
    name: "assignmentsHeld" | "workersAlive" | "takeovers" | "redisReconnects",
  ): Promise<number | undefined> {
    return (await this.metrics[name].get()).values[0]?.value;
  }

  async leave(): Promise<void> {
    this.#stop.abort(new Error("the worker leaves"));
    await this.#running;
    await this.coordination[Symbol.asyncDispose]();
  }
}

let feeds = 0;

/** The processes that share one feed. */
class Team {
  readonly feed = `team-${(feeds += 1)}`;
  readonly workers: Worker[] = [];
  readonly clock = new TestClock(Date.now());
  readonly until = untilBy(this.clock, STEP_MS);
  /** Assignments that were begun by one while another did them. */
  readonly doneTwice: string[] = [];
  readonly timeoutMs: number;
  plan: AssignmentPlan;

  constructor(scopes: number, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.plan = planOf(scopes);
  }

  join(name: string, url = redis.url): Worker {
    const worker = new Worker(this, name, url);
    this.workers.push(worker);
    return worker;
  }

  async leave(worker: Worker): Promise<void> {
    await worker.leave();
    this.workers.splice(this.workers.indexOf(worker), 1);
  }

  /** All leave, as fast as they can. */
  async disband(): Promise<void> {
    let left = false;
    const leaving = Promise.all(this.workers.splice(0).map((worker) => worker.leave())).finally(
      () => (left = true),
    );
    await this.until("all have left", () => left);
    await leaving;
  }

  async replan(plan: AssignmentPlan): Promise<void> {
    this.plan = plan;
    for (const { coordination } of this.workers) await coordination.announce(plan);
  }

  /** Waits until every assignment is done by exactly one of them, evenly. */
  settled(workers: readonly Worker[] = this.workers): Promise<true> {
    const assignments = [...STANDING_ASSIGNMENTS, ...this.plan.keys()].toSorted();
    return this.until(`${workers.length} workers share ${assignments.length} assignments evenly`, () => {
      const sizes = workers.map(({ performing }) => performing.size);
      const all = workers.flatMap((worker) => worker.assignments);
      return all.toSorted().join() === assignments.join() && Math.max(...sizes) - Math.min(...sizes) <= 1;
    });
  }

  /** Connections to Redis that came back, of all workers together. */
  async reconnects(): Promise<number> {
    const counts = await Promise.all(this.workers.map((worker) => worker.value("redisReconnects")));
    return counts.reduce<number>((sum, count = 0) => sum + count, 0);
  }

  /** Whether nothing is begun while every worker goes through three rounds. */
  async staysSo(): Promise<boolean> {
    const begun = () => this.workers.map((worker) => worker.begun.length).join();
    const before = begun();
    const heard = this.workers.map(({ rounds }) => rounds);
    await this.until("all have heard three times", () =>
      this.workers.every(({ rounds }, n) => rounds >= (heard[n] ?? 0) + 3),
    );
    return begun() === before;
  }
}

let redis: RedisServer;
const missing = redisMissing();

describe.skipIf(missing !== undefined)(`workers that share assignments${skippedBecause(missing)}`, () => {
  let teams: Team[] = [];
  const team = (scopes: number, timeoutMs = TIMEOUT_MS): Team => {
    const made = new Team(scopes, timeoutMs);
    teams.push(made);
    return made;
  };

  beforeAll(async () => {
    redis = await RedisServer.start("--appendonly", "yes");
  });
  afterEach(async () => {
    await Promise.all(teams.map((each) => each.disband()));
    teams = [];
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("one does all; who joins gets an even share; nothing is ever done twice, nor moves without need", async () => {
    const all = team(9);
    const first = all.join("first");
    await all.settled();
    expect(first.performing.size).toBe(12);
    all.join("second");
    await all.settled();
    all.join("third");
    await all.settled();
    expect(await all.staysSo()).toBe(true);
    expect(all.doneTwice).toEqual([]);
    expect(first.begun).toHaveLength(12);
    expect(first.assignments).toContain("plan");
  });

  it("five that start at once share evenly too, and more workers than assignments do no harm", async () => {
    const all = team(1);
    for (const name of ["a", "b", "c", "d", "e"]) all.join(name);
    await all.settled();
    await all.replan(planOf(18));
    await all.settled();
    expect(await all.staysSo()).toBe(true);
    expect(all.doneTwice).toEqual([]);
  });

  it("who leaves hands over at once, not when its locks end", async () => {
    const all = team(7, LONG_TIMEOUT_MS);
    const leaving = all.join("leaving");
    await all.settled();
    const staying = all.join("staying");
    await all.settled();
    await all.leave(leaving);
    await all.settled();
    expect(all.doneTwice).toEqual([]);
    expect(await staying.value("takeovers")).toBe(0);
  });

  it("a dead one's assignments go to the others, and when it comes back it takes part again", async () => {
    await using line = await TcpProxy.to(redis.port);
    const all = team(10);
    const dead = all.join("dead", `redis://127.0.0.1:${line.port}`);
    await all.until("it plans", () => dead.performing.has("plan"));
    const others = [all.join("one"), all.join("two")];
    await all.settled();
    line.cut();
    await all.settled(others);
    const lost = dead.assignments;
    expect(lost.length).toBeGreaterThan(2);
    expect(others.flatMap(({ lines }) => lines).join("\n")).toContain("worker dead is silent");
    const takeovers = await Promise.all(others.map((worker) => worker.value("takeovers")));
    expect(takeovers.reduce((sum = 0, taken = 0) => sum + taken)).toBe(lost.length);
    expect(await Promise.all(others.map((worker) => worker.value("workersAlive")))).toEqual([2, 2]);
    // What it wants to announce now is of an old term.
    line.mend();
    // The others go by what they last heard it hold, so one assignment may move once more.
    await all.until("all rest", async () => (await all.settled()) && all.staysSo());
    // What it gets back is handed over.
    expect(await dead.value("takeovers")).toBe(0);
    expect(await dead.value("workersAlive")).toBe(3);
    expect(await dead.value("assignmentsHeld")).toBe(dead.performing.size);
    expect(dead.lines.join("\n")).toContain(`lost ${lost.length} assignments`);
    expect(dead.begun.length).toBeGreaterThan(lost.length);
  });

  it("who planned before another began to plan announces no more", async () => {
    const all = team(3);
    const old = all.join("old");
    await all.settled();
    const other = all.join("other");
    await all.settled();
    const client = redis.client();
    // As a newer planner begins: see BEGIN_TERM.
    await client.incr(`ncf:{${all.feed}}:plan-term`);
    await old.coordination.announce(planOf(0));
    expect(await client.hlen(`ncf:{${all.feed}}:plan`)).toBe(3);
    client.disconnect();
    await all.until(
      "it planned anew",
      () => [old, other].flatMap(({ begun }) => begun.filter((d) => d === "plan")).length === 2,
    );
    await all.settled();
  });

  it("what is planned no more ends everywhere and vanishes from Redis", async () => {
    const all = team(8);
    all.join("a");
    all.join("b");
    await all.settled();
    await all.replan(new Map([["jobs/n3", "perform"]]));
    await all.settled();
    const client = redis.client();
    await all.until("no job is left of the others", async () => {
      const keys = await client.keys(`ncf:{${all.feed}}:duties:jobs/*`);
      return keys.every((key) => key.includes("jobs/n3"));
    });
    client.disconnect();
  });

  it("what one cannot do, another does, and then nothing moves any more", async () => {
    const all = team(8);
    all.plan = new Map([["deliver/hook", "perform"], ...all.plan]);
    const unable = all.join("unable");
    unable.unable.add("deliver/hook");
    await all.until("it has all it can do", () => unable.performing.size === all.plan.size + 2);
    const able = all.join("able");
    await all.settled();
    expect(able.assignments).toContain("deliver/hook");
    expect(await all.staysSo()).toBe(true);
    expect(unable.begun).not.toContain("deliver/hook");
    expect(all.doneTwice).toEqual([]);
  });

  it("what takes too long to end goes to another all the same", async () => {
    const all = team(4);
    const slow = all.join("slow");
    await all.settled();
    slow.slownessMs = 3 * TIMEOUT_MS;
    const next = all.join("next");
    await all.until("the other has its share", () => next.performing.size === 3);
    expect(slow.performing.size).toBeGreaterThan(3);
    slow.slownessMs = 0;
    await all.settled();
  });

  it("FLUSHALL ends nothing for long", async () => {
    const all = team(6);
    all.join("a");
    all.join("b");
    await all.settled();
    const client = redis.client();
    await client.flushall();
    client.disconnect();
    await all.until("they noticed", () =>
      all.workers.some(({ lines }) => lines.some((line) => line.includes("lost its data"))),
    );
    // Who plans may have its lock back, and never know; a planner says its plan again from time to time.
    await all.replan(all.plan);
    // Who notices later begins again once more.
    await all.until("all rest", async () => (await all.settled()) && all.staysSo());
  });

  it("a Redis that stands still for longer than the locks live, or is killed, ends nothing", async () => {
    const all = team(6);
    all.join("a");
    all.join("b");
    await all.settled();
    const begun = all.workers.map((worker) => worker.begun.length);
    redis.signal("SIGSTOP");
    const stoppedAt = performance.now();
    await until("the locks have ended", () => performance.now() - stoppedAt > 1.5 * TIMEOUT_MS);
    redis.signal("SIGCONT");
    await all.settled();
    expect(await all.staysSo()).toBe(true);
    const before = await all.reconnects();
    await redis.kill();
    await redis.start();
    await all.settled();
    expect(await all.staysSo()).toBe(true);
    expect(all.workers.map((worker) => worker.begun.length)).toEqual(begun);
    // For each worker, of the assignments and of BullMQ.
    await all.until("both connections are counted", async () => (await all.reconnects()) === before + 4);
    expect(all.doneTwice).toEqual([]);
  });

  it("a Redis that comes back without its data ends nothing for long", async () => {
    await using forgetful = await RedisServer.start();
    const all = team(6);
    all.join("a", forgetful.url);
    all.join("b", forgetful.url);
    await all.settled();
    await forgetful.kill();
    await forgetful.start();
    await all.until("they noticed", () =>
      all.workers.some(({ lines }) => lines.some((line) => line.includes("lost its data"))),
    );
    await all.settled();
    await all.disband();
  });

  it("two feeds on one Redis know nothing of each other", async () => {
    const one = team(3);
    const two = team(5);
    one.join("same-name");
    two.join("same-name");
    await Promise.all([one.settled(), two.settled()]);
    const told = await two.until("its report", async () => {
      const statuses = await two.workers[0]?.coordination.statuses();
      return statuses?.every(({ state }) => state === "held") && statuses;
    });
    expect(told.map(({ assignment }) => assignment).toSorted()).toEqual(two.workers[0]?.assignments);
    expect(one.doneTwice.length + two.doneTwice.length).toBe(0);
  });

  it("every key is the feed's, and nothing grows", async () => {
    await using own = await RedisServer.start();
    const all = team(4);
    const client = own.client();
    const sizes = async () => {
      const keys = (await client.keys("*")).toSorted();
      expect(keys.filter((key) => !key.startsWith(`ncf:{${all.feed}}:`))).toEqual([]);
      return keys.filter(
        (key) => !key.endsWith(":lock") && !key.endsWith(":stalled") && !key.endsWith(":stalled-check"),
      );
    };
    all.join("a", own.url);
    await all.settled();
    const before = await sizes();
    for (let round = 0; round < 3; round += 1) {
      await all.replan(planOf(60));
      await all.settled();
      await all.replan(planOf(4));
      await all.settled();
    }
    await all.until("the jobs are gone", async () => (await sizes()).join() === before.join());
    expect(await client.xlen(`ncf:{${all.feed}}:duties:events`)).toBeLessThan(500);
    await all.disband();
    client.disconnect();
  });

  it("tells of workers that say nothing, and of assignments that nobody does", async () => {
    await using line = await TcpProxy.to(redis.port);
    const all = team(2);
    all.join("mute", `redis://127.0.0.1:${line.port}`);
    await all.settled();
    const watcher = all.join("watcher");
    await all.settled();
    line.cut();
    const silent = await all.until("it is told", async () =>
      (await watcher.coordination.statuses()).find(({ reason }) => reason?.includes("has said nothing for")),
    );
    expect(silent).toMatchObject({ worker: "mute", state: "held", condition: "stale" });
    await all.settled([watcher]);
    const told = await all.until("the other is forgotten", async () => {
      const statuses = await watcher.coordination.statuses();
      return statuses.every(({ worker }) => worker === "watcher") && statuses;
    });
    expect(told.every(({ reason }) => reason === null)).toBe(true);
    line.mend();
  });

  it("ends while Redis is away or stands still, long before its locks do", async () => {
    await using own = await RedisServer.start();
    const all = team(3, LONG_TIMEOUT_MS);
    const [gone, stuck] = [all.join("a", own.url), all.join("b", own.url)];
    await all.settled();
    own.signal("SIGSTOP");
    await all.clock.finish(gone.leave());
    own.signal("SIGCONT");
    await own.kill();
    await all.clock.finish(stuck.leave());
    expect([gone.performing.size, stuck.performing.size]).toEqual([0, 0]);
    all.workers.length = 0;
  });
});
