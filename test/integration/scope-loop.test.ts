import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogFull, LogUnavailable } from "../../src/feed/errors.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { Backlog } from "../../src/pollers/backlog.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { OutageReporter } from "../../src/pollers/outage-reporter.ts";
import type { Outcome, PollerDeps, PollerOptions } from "../../src/pollers/poller.ts";
import { QueryWait } from "../../src/pollers/query-wait.ts";
import { ScopeLoop } from "../../src/pollers/scope-loop.ts";
import type { Json } from "../../src/schemas/json.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { Rows } from "../../src/snapshots/rows.ts";
import { createLogger, silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable } from "../support/breakable-log.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { checkLog, parseEvent, type SeenEvent } from "../support/feed-check.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { until } from "../support/until.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const jobs: Scope = { resource: "jobs", namespace: "default" };
const everyJob: Scope = { resource: "jobs", namespace: "*" };
const SOURCE = "nomad://test/global";
const FULL_EVERY_MS = 300_000;

function job(id: string, rev: number, more: { created?: number; namespace?: string; Status?: string } = {}) {
  const { created = rev, namespace = "default", ...fields } = more;
  return {
    CreateIndex: created,
    ID: id,
    ModifyIndex: rev,
    Name: id,
    Namespace: namespace,
    Status: "running",
    ...fields,
  };
}

const many = (count: number, rev: number, namespace = "default") =>
  Array.from({ length: count }, (_, position) =>
    job(`job${String(position).padStart(4, "0")}`, rev, { namespace }),
  );

const forbidden = (): NomadError =>
  new NomadError("NOMAD_FORBIDDEN", "GET /v1/jobs: 403 Permission denied", {
    retryable: false,
    hint: "grant list-jobs",
    status: 403,
  });
const cutOff = (heldMs: number): NomadError =>
  new NomadError("NOMAD_SERVER_ERROR", "GET /v1/jobs was answered 504", {
    retryable: true,
    hint: "wait",
    status: 504,
    heldMs,
  });
const reset = (): NomadError =>
  new NomadError("NOMAD_UNREACHABLE", "GET /v1/jobs: connection reset", { retryable: true, hint: "wait" });

describe("a scope's loop", () => {
  let directory: string;
  let log: ReturnType<typeof breakable>;
  let nomad: ScriptedNomad;
  let metrics: ReturnType<typeof createMetrics>;
  /** By how much a test has let the clock jump ahead. */
  let skippedMs: number;
  let running: { abort: AbortController; done: Promise<Outcome> }[];

  const start = (
    scope: Scope = jobs,
    options: Partial<PollerOptions> = {},
    more: Partial<PollerDeps> = {},
  ) => {
    const logger = silentLogger();
    const deps: PollerDeps = {
      nomad,
      log,
      logger,
      metrics,
      clock: { ...systemClock, elapsed: () => systemClock.elapsed() + skippedMs },
      random: () => 0.01,
      outages: new OutageReporter(logger, systemClock),
      // The scope is alone and tells of itself.
      feedOutage: { failed: () => undefined, read: () => undefined, covers: () => false },
      backlog: new Backlog(metrics),
      hints: null,
      queryWait: new QueryWait(60_000, logger, systemClock),
      ...more,
    };
    const loop = new ScopeLoop(scope, deps, {
      source: SOURCE,
      owner: "test",
      waitMs: 60_000,
      consistency: "default",
      baseline: "events",
      maxEventBytes: 65_536,
      reading: "auto",
      fullEveryMs: FULL_EVERY_MS,
      staleAfterMs: 30_000,
      checkpointEveryMs: 0,
      pace: { perSecond: 1000, burst: 1000 },
      ...options,
    });
    const abort = new AbortController();
    const run = { abort, loop, done: loop.run(abort.signal) };
    running.push(run);
    return run;
  };
  /** A logger that reads back what it wrote from level warn on. */
  const readableLogger = () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    return { lines, logger: createLogger({ level: "warn", format: "json", destination }) };
  };
  const stop = async ({ abort, done }: { abort: AbortController; done: Promise<Outcome> }) => {
    abort.abort(new Error("end of test"));
    return done;
  };
  const events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await log.head();
    return (await log.read({ epoch, sequence: floor }, { limit: 10_000, maxBytes: 1 << 28 })).map((entry) =>
      parseEvent(entry.json),
    );
  };
  const count = (atLeast: number): Promise<SeenEvent[]> =>
    until(`${atLeast} events`, async () => {
      const all = await events();
      return all.length >= atLeast && all;
    });
  const expectFolds = async (stubs: readonly { ID: string; Namespace: string }[]) => {
    const truth = new Map(stubs.map((stub) => [`jobs/${stub.Namespace}/${stub.ID}`, stub as Json]));
    const verdict = checkLog(await events(), truth);
    expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-loop-"));
    log = breakable(await openSqlite({ path: join(directory, "feed.db"), source: SOURCE }));
    nomad = new ScriptedNomad();
    metrics = createMetrics();
    skippedMs = 0;
    running = [];
  });

  afterEach(async () => {
    await Promise.all(running.map(stop));
    await log[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("measures what it does with a list from the whole body on, the diff included, and not how long Nomad held it", async () => {
    let workMs = 0;
    const clock: Clock = {
      ...systemClock,
      // Only these pass time: each slice of the work takes a second.
      elapsed: () => skippedMs + workMs,
      yield: async () => {
        workMs += 1000;
        await systemClock.yield();
      },
    };
    const measured = async () => {
      const { values } = await metrics.pollSeconds.get();
      const of = (name: string) => values.find(({ metricName }) => metricName?.endsWith(name))?.value ?? 0;
      return { polls: of("_count"), seconds: of("_sum") };
    };
    nomad.set("jobs/default", 10, []);
    start(jobs, {}, { clock });
    await until("the first list is told", async () => (await measured()).polls === 1);
    skippedMs = 200_000;
    nomad.set("jobs/default", 11, many(2000, 11));
    await count(2000);
    const { polls, seconds } = await until("it is measured", async () => {
      const now = await measured();
      return now.polls > 1 && now;
    });
    expect(polls).toBe(2);
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBe(workMs / 1000);
  });

  it("marks the baseline without a flood of creates, then reports what changes", async () => {
    nomad.set("jobs/default", 10, many(50, 5));
    start(jobs, { baseline: "marker" });
    const [baseline] = await count(1);
    expect(baseline).toMatchObject({ type: "nomad.feed.baseline", data: { count: 50, index: "10" } });
    nomad.set("jobs/default", 12, [...many(49, 5), job("job0049", 12, { created: 5, Status: "dead" })]);
    const [, update] = await count(2);
    expect(update).toMatchObject({ type: "nomad.job.updated", previous: "5", current: "12", mode: "live" });
  });

  it("asks with the index it was given, never with 0", async () => {
    nomad.set("jobs/default", 0, []);
    start();
    await until("the second query", () => nomad.requests.length === 2);
    expect(nomad.requests.map((request) => request.index)).toEqual([undefined, "0"]);
    // The client turns 0 into 1: see the client's own tests.
  });

  it("catches up after a stop: creates, updates and deletions with their last state", async () => {
    nomad.set("jobs/default", 10, [job("a", 5), job("b", 5), job("c", 5)]);
    const first = start();
    await count(4);
    await stop(first);
    nomad.set("jobs/default", 20, [job("a", 5), job("b", 15, { created: 5 }), job("d", 18)]);
    start();
    const seen = (await count(7)).slice(4);
    expect(seen.map((event) => [event.op, event.key, event.mode])).toEqual([
      ["update", "b", "catchup"],
      ["create", "d", "catchup"],
      ["delete", "c", "catchup"],
    ]);
    expect(seen[2]?.before).toMatchObject({ ID: "c", ModifyIndex: 5 });
    await expectFolds([job("a", 5), job("b", 15, { created: 5 }), job("d", 18)]);
  });

  it("tells a purge and a new registration of the same name apart", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    nomad.set("jobs/default", 20, [job("a", 18)]);
    const [removed, created] = (await count(4)).slice(2);
    expect([removed?.op, removed?.id]).toEqual(["delete", "0/jobs/default/a@5!deleted"]);
    expect([created?.op, created?.id]).toEqual(["create", "0/jobs/default/a@18"]);
    await expectFolds([job("a", 18)]);
  });

  it("writes a commit once whose answer was lost", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    log.breakNext(async (_commit, write) => {
      await write();
      throw new LogUnavailable("the answer was lost");
    });
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until(
      "the retry",
      () => log.commits.length >= 3 && log.commits.at(-1)?.commitId === log.commits.at(-2)?.commitId,
    );
    nomad.set("jobs/default", 30, [job("a", 25, { created: 5 })]);
    await count(4);
    await expectFolds([job("a", 25, { created: 5 })]);
  });

  it("pauses while the disk is full and goes on when there is room", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    const full = async () => Promise.reject(new LogFull("no space left"));
    log.breakNext(full, full, full);
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await count(3);
    await expectFolds([job("a", 15, { created: 5 })]);
  });

  it("goes on from the middle of a large catch-up that was cut between chunks", async () => {
    nomad.set("jobs/default", 10, []);
    const first = start();
    await count(1);
    await stop(first);
    log.breakNext(
      (_commit, write) => write(),
      () => {
        second.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    nomad.set("jobs/default", 20, many(1_300, 15));
    const second = start();
    await second.done;
    expect((await events()).length).toBe(501);
    start();
    await count(1_301);
    await expectFolds(many(1_300, 15));
  });

  it("notices a restore that took the index back", async () => {
    nomad.set("jobs/default", 100, [job("a", 90), job("b", 50)]);
    start();
    await count(3);
    nomad.set("jobs/default", 120, [job("a", 110, { created: 90 }), job("b", 50)]);
    await count(4);
    // The restored server sleeps on the old index; the loop sees it when the query ends.
    nomad.set("jobs/default", 60, [job("b", 50)]);
    nomad.failNext(reset());
    const seen = (await count(7)).slice(4);
    expect(seen.map((event) => event.type)).toEqual([
      "nomad.feed.resync",
      "nomad.job.deleted",
      "nomad.feed.resync",
    ]);
    expect(seen[0]?.data).toMatchObject({ phase: "begin", reason: expect.stringContaining("120 to 60") });
    expect(seen[1]?.id).toMatch(/^1\//);
    // Nomad gives out index 110 again, for another version: another id.
    nomad.set("jobs/default", 115, [job("a", 110), job("b", 50)]);
    const again = (await count(8))[7];
    expect(again?.id).toBe("1/jobs/default/a@110");
    await expectFolds([job("a", 110), job("b", 50)]);
  });

  it.each([
    ["a namespace", jobs],
    ["all namespaces, where rights might have widened", everyJob],
  ])("notices a restore that brings back what was deleted, changed since: %s", async (_what, scope) => {
    const list = `jobs/${scope.namespace}`;
    nomad.set(list, 100, [job("a", 20), job("b", 50)]);
    start(scope);
    await count(3);
    nomad.set(list, 110, [job("b", 50)]);
    await count(4);
    nomad.set(list, 140, [job("a", 135, { created: 20 }), job("b", 50)]);
    await count(7);
    nomad.set(list, 150, [job("b", 50)]);
    const ids = (await count(8)).map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe("1/jobs/default/a@20!deleted");
    await expectFolds([job("b", 50)]);
  });

  it("notices a restore that brings back what was deleted in a namespace that is gone", async () => {
    const [a, b] = [job("a", 20, { namespace: "qa" }), job("b", 50, { namespace: "qa" })];
    nomad.absent.add("qa");
    nomad.set("jobs/qa", 100, [a, b]);
    start({ resource: "jobs", namespace: "qa" });
    await count(3);
    nomad.set("jobs/qa", 110, [b]);
    await count(4);
    nomad.set("jobs/qa", 140, [a, b]);
    await count(7);
    nomad.set("jobs/qa", 150, [b]);
    const ids = (await count(8)).map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe("1/jobs/qa/a@20!deleted");
  });

  it("counts one restore once, though every scope notices it for itself", async () => {
    const qa = (rev: number) => job("q", rev, { namespace: "qa", created: 3 });
    nomad.set("jobs/default", 100, [job("a", 90, { created: 4 })]);
    nomad.set("jobs/qa", 100, [qa(95)]);
    start();
    start({ resource: "jobs", namespace: "qa" });
    await count(4);
    nomad.set("jobs/default", 150, [job("a", 20, { created: 4 })]);
    await count(7);
    nomad.set("jobs/qa", 150, [qa(30)]);
    const updates = (await count(10)).filter((event) => event.op === "update");
    expect(updates.map((event) => event.id)).toEqual(["1/jobs/default/a@20", "1/jobs/qa/q@30"]);
    expect((await log.head()).nomadEpoch).toBe(1);
  });

  it("notices a restore behind a higher index", async () => {
    nomad.set("jobs/default", 100, [job("a", 90, { created: 40 }), job("b", 50)]);
    start();
    await count(3);
    nomad.set("jobs/default", 130, [job("a", 70, { created: 40 }), job("b", 50), job("c", 130)]);
    const seen = (await count(7)).slice(3);
    expect(seen.map((event) => event.type)).toEqual([
      "nomad.feed.resync",
      "nomad.job.updated",
      "nomad.job.created",
      "nomad.feed.resync",
    ]);
    await expectFolds([job("a", 70, { created: 40 }), job("b", 50), job("c", 130)]);
  });

  it("takes a summary that vanishes and comes back for two updates, each with an id of its own", async () => {
    const summed = (JobSummary: object | null) => ({ ...job("web", 12), JobSummary });
    nomad.set("jobs/default", 12, [summed({ ModifyIndex: 12 })]);
    start();
    await count(2);
    const whole = [summed({ ModifyIndex: 55 })];
    nomad.set("jobs/default", 55, whole);
    await count(3);
    nomad.set("jobs/default", 60, [summed(null)]);
    await count(4);
    nomad.set("jobs/default", 61, whole);
    const seen = (await count(5)).slice(2);
    expect(seen.map((event) => [event.id, event.previous])).toEqual([
      ["0/jobs/default/web@55", "12"],
      ["0/jobs/default/web@12+60", "55"],
      ["0/jobs/default/web@55+61", "12"],
    ]);
    await expectFolds(whole);
  });

  it("accepts the list of a leader that was deposed a moment ago only after it could know", async () => {
    const before = [job("a", 90), job("b", 50)];
    nomad.set("jobs/default", 100, before);
    start();
    await count(3);
    nomad.set("jobs/default", 60, [job("b", 50)]);
    nomad.failNext(reset());
    await until("the list was read from it twice", () => nomad.requests.length >= 4);
    nomad.set("jobs/default", 110, [...before, job("c", 105)]);
    const seen = (await count(4)).slice(3);
    expect(seen.map((event) => event.id)).toEqual(["0/jobs/default/c@105"]);
  });

  it("does not take what outlived its namespace for restored, when one of that name comes back", async () => {
    const left = job("left", 20, { namespace: "qa" });
    nomad.set("jobs/*", 100, [job("a", 10), left]);
    start(everyJob);
    await count(3);
    // To a token that is no management token Nomad lists only what is in namespaces that exist.
    nomad.absent.add("qa");
    nomad.set("jobs/*", 110, [job("a", 10)]);
    expect((await count(4))[3]?.op).toBe("delete");
    nomad.absent.delete("qa");
    nomad.created.set("qa", 120);
    nomad.set("jobs/*", 130, [job("a", 10), left]);
    expect((await count(5))[4]).toMatchObject({ op: "create", id: "0/jobs/qa/left@20+120" });
    nomad.set("jobs/*", 140, [job("a", 10)]);
    expect((await count(6))[5]).toMatchObject({ op: "delete", id: "0/jobs/qa/left@20+120!deleted" });
  });

  it("does not take another job of the same name for one that was deleted", async () => {
    nomad.set("jobs/default", 100, [job("a", 20), job("b", 20)]);
    const first = start();
    await count(3);
    nomad.set("jobs/default", 110, [job("b", 20)]);
    await count(4);
    await stop(first);
    // A scope that inherits an index may have missed what others see; this one is registered anew.
    nomad.set("jobs/*", 120, [job("a", 105), job("b", 20)]);
    start(everyJob);
    expect((await count(5))[4]).toMatchObject({ op: "create", id: "0/jobs/default/a@105+120" });
  });

  it("does not take a list for true that shrank while the token lost its rights", async () => {
    nomad.set("jobs/*", 10, [...many(20, 5), job("x", 6, { namespace: "qa" })]);
    start(everyJob);
    await count(22);
    nomad.hidden.add("qa");
    nomad.set("jobs/*", 20, [...many(19, 5), job("job0019", 15, { created: 5 })]);
    const seen = (await count(24)).slice(22);
    expect(seen.map((event) => event.type).toSorted()).toEqual(["nomad.feed.scope", "nomad.job.updated"]);
    expect(seen.find((event) => event.type === "nomad.feed.scope")?.data).toMatchObject({
      state: "access-lost",
    });
    nomad.hidden.delete("qa");
    const now = [
      ...many(20, 5).slice(0, 19),
      job("job0019", 15, { created: 5 }),
      job("x", 12, { namespace: "qa", created: 6 }),
    ];
    nomad.set("jobs/*", 30, now);
    const after = (await count(26)).slice(24);
    expect(after.map((event) => event.type).toSorted()).toEqual(["nomad.feed.scope", "nomad.job.updated"]);
    await expectFolds(now);
  });

  it("keeps everything while it is refused, and says when it may read again", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    nomad.failNext(forbidden());
    const seen = (await count(4)).slice(2);
    expect(seen.map((event) => event.data["state"])).toEqual(["access-lost", "access-restored"]);
    await expectFolds([job("a", 5)]);
  });

  it("waits less where queries are ended early, and reads no list for it", async () => {
    const { logger, lines } = recordingLogger();
    let nowMs = 0;
    const queryWait = new QueryWait(60_000, logger, { ...systemClock, elapsed: () => nowMs });
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 }, { queryWait, logger });
    await count(2);
    for (const asked of [3, 4]) {
      nowMs += 60_100;
      nomad.failNext(cutOff(60_000));
      await until("the next query", () => nomad.requests.length === asked);
    }
    expect(nomad.requests.slice(1).map(({ index, waitMs }) => [index, waitMs])).toEqual([
      ["10", 60_000],
      ["10", 60_000],
      ["10", 53_647],
    ]);
    expect(lines).toEqual([
      "something between this process and Nomad ends queries after 60 s; queries now wait at most 53.6 s",
    ]);
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect((await count(3)).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("takes a third query in a row that ends early for a failure, and none before", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 });
    await count(2);
    const endEarly = async () => {
      const { length } = nomad.requests;
      nomad.failNext(cutOff(1_000 * (3 + length)));
      await until("the next query", () => nomad.requests.length > length);
    };
    for (const rev of [20, 30]) {
      await endEarly();
      await endEarly();
      nomad.set("jobs/default", rev, [job("a", rev, { created: 5 })]);
      await until("the next query", () => nomad.requests.at(-1)?.index === `${rev}`);
    }
    expect((await count(4)).map(({ type }) => type)).not.toContain("nomad.feed.scope");
    for (let time = 0; time < 3; time += 1) await endEarly();
    expect((await count(5))[4]?.data["state"]).toBe("stale");
  });

  it("says that it is stale, once, and that it recovered", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 });
    await count(2);
    for (let failure = 0; failure < 3; failure += 1) nomad.failNext(reset());
    const seen = (await count(4)).slice(2);
    expect(seen.map((event) => event.data["state"])).toEqual(["stale", "recovered"]);
  });

  it("is stale to everybody when it starts over for ever, whatever the reason", async () => {
    const { logger, lines } = recordingLogger();
    const outages = new OutageReporter(logger, systemClock);
    const staleMetric = async () =>
      /scope_stale\{resource="jobs",namespace="default"\} (\d)/.exec(await metrics.registry.metrics())?.[1];
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop } = start(jobs, { staleAfterMs: 0 }, { outages });
    await count(2);
    const bug = async () => Promise.reject(new TypeError("x is undefined"));
    log.breakNext(bug, bug, bug, bug);
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until("it tried again and again", () => log.commits.length >= 5);
    expect(loop.report()).toMatchObject({
      condition: "stale",
      reason: "The server failed",
      baselined: false,
      upToDate: false,
      broken: true,
    });
    expect(await staleMetric()).toBe("1");
    const seen = (await count(5)).slice(2);
    expect(seen.map((event) => event.data["state"] ?? event.op)).toEqual(["stale", "update", "recovered"]);
    expect(seen[0]?.data["reason"]).toBe("The server failed");
    await until("it is well", () => loop.report().condition === "ok");
    expect(loop.report()).toMatchObject({ reason: null, baselined: true, upToDate: true, broken: false });
    expect(await staleMetric()).toBe("0");
    expect(lines).toEqual(["reading the scope again: x is undefined", "all scopes recovered"]);
  });

  it("is stale while the log takes nothing, and the feed is spared the news of it", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop } = start(jobs, { staleAfterMs: 0 });
    await count(2);
    const full = async () => Promise.reject(new LogFull("no space left"));
    log.breakNext(...Array.from({ length: 12 }, () => full));
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until("it is paused", () => loop.report().reason?.includes("LOG_FULL"));
    loop.checkStale();
    expect(loop.report()).toMatchObject({ condition: "stale", upToDate: false, broken: false });
    await count(3);
    await until("it is well", () => loop.report().condition === "ok");
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("accepts that everything is gone where the namespace is gone, and ends", async () => {
    nomad.set("jobs/default", 10, [job("a", 5), job("b", 5)]);
    const { done } = start();
    await count(3);
    nomad.absent.add("default");
    nomad.failNext(forbidden());
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it("drains a vanished namespace: goes on while anything is left in it", async () => {
    nomad.set("jobs/default", 10, [job("a", 5), job("b", 5)]);
    const { loop, done } = start();
    await count(3);
    loop.drain();
    nomad.absent.add("default");
    nomad.set("jobs/default", 20, [job("b", 5)]);
    await count(4);
    nomad.set("jobs/default", 30, []);
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it.each([
    ["at once", 2],
    ["after it was asked for", 4],
  ])("goes on when a vanished namespace comes back %s, however empty it is", async (_when, queries) => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop, done } = start();
    await until("the held query", () => nomad.requests.length === 2);
    loop.drain();
    await until("so many queries", () => nomad.requests.length === queries);
    loop.drain(false);
    nomad.set("jobs/default", 20, []);
    await Promise.race([done, count(3)]);
    nomad.set("jobs/default", 30, [job("b", 30)]);
    expect(await Promise.race([done, count(4)])).toHaveLength(4);
  });

  it("ends where a namespace came back and vanished again before it was asked for", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop, done } = start();
    await until("the held query", () => nomad.requests.length === 2);
    for (const gone of [true, false, true]) loop.drain(gone);
    nomad.set("jobs/default", 20, []);
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it("stops at once when somebody else claims the scope, and writes nothing more", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const { done } = start();
    await count(2);
    const theirs = await log.claim(everyJob, "somebody else");
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect(await done).toBe("fenced");
    expect(await events()).toHaveLength(2);
    expect(theirs.baselined).toBe(true);
  });

  it("reads everything anew when its idea of the log is wrong", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    log.breakNext(async (commit) => log.commit({ ...commit, expectedRev: commit.expectedRev + 7 }));
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    const update = (await count(3))[2];
    expect(update).toMatchObject({ op: "update", previous: "5", current: "15", mode: "catchup" });
    await expectFolds([job("a", 15, { created: 5 })]);
  });

  it("begins an interrupted resync anew, in a generation of its own, and ends it", async () => {
    const before = Array.from({ length: 900 }, (_, position) =>
      job(`job${String(position).padStart(4, "0")}`, 200, { created: 5 }),
    );
    nomad.set("jobs/default", 300, before);
    const first = start();
    await count(901);
    await stop(first);
    // Hidden: the index is higher, only the revs show it, and the first chunk takes those that do.
    const after = before.map((stub) => ({ ...stub, ModifyIndex: stub.ID < "job0600" ? 60 : 350 }));
    nomad.set("jobs/default", 400, after);
    log.breakNext(
      (_commit, write) => write(),
      () => {
        second.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    const second = start();
    await second.done;
    expect((await log.head()).nomadEpoch).toBe(1);
    start();
    const ended = await until("the end of the resync", async () => {
      const all = await events();
      return all.at(-1)?.data["phase"] === "end" && all;
    });
    const resyncs = ended.filter((event) => event.type === "nomad.feed.resync");
    expect(resyncs.map((event) => event.data["phase"])).toEqual(["begin", "begin", "end"]);
    expect((await log.head()).nomadEpoch).toBe(2);
    await expectFolds(after);
  });

  it("tells a delete that fell into an interrupted baseline", async () => {
    nomad.set("jobs/default", 10, many(800, 5));
    log.breakNext(
      (_commit, write) => write(),
      () => {
        first.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    const first = start();
    await first.done;
    expect(await events()).toHaveLength(500);
    nomad.set("jobs/default", 20, many(800, 5).slice(1));
    start();
    await until("the baseline", async () =>
      (await events()).some((event) => event.type === "nomad.feed.baseline"),
    );
    await expectFolds(many(800, 5).slice(1));
  });

  it("does not take rights that came back while it was away for a restore", async () => {
    const x = job("x", 6, { namespace: "qa" });
    nomad.set("jobs/*", 10, [...many(20, 5), x]);
    const first = start(everyJob);
    await count(22);
    nomad.hidden.add("qa");
    nomad.set("jobs/*", 20, many(20, 5));
    await count(23);
    await stop(first);
    nomad.hidden.delete("qa");
    const now = [...many(20, 5), { ...x, ModifyIndex: 12 }];
    nomad.set("jobs/*", 30, now);
    start(everyJob);
    await until("the update", async () => (await events()).some((event) => event.current === "12"));
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
    await expectFolds(now);
  });

  it("calls trouble over that was spoken of before a restart", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    const first = start(jobs, { staleAfterMs: 0 });
    await count(2);
    nomad.failNext(reset());
    await until("stale", async () => (await events()).some((event) => event.data["state"] === "stale"));
    await stop(first);
    start();
    await until("recovered", async () => (await events()).at(-1)?.data["state"] === "recovered");
  });

  it("holds whole lists to what it has told from time to time, and nothing is news then", async () => {
    nomad.set("jobs/default", 10, many(20, 5));
    start(jobs, { fullEveryMs: 1 });
    await count(21);
    nomad.set(
      "jobs/default",
      11,
      many(20, 5).map(({ ID, ...rest }) => ({ ...rest, ID })),
    );
    await until("a canonical pass", async () =>
      /nomad_changefeed_canonical_passes_total\{resource="jobs"\} [1-9]/.test(
        await metrics.registry.metrics(),
      ),
    );
    nomad.set("jobs/default", 30, [...many(20, 5), job("new", 30)]);
    await count(22);
    await expectFolds([...many(20, 5), job("new", 30)]);
  });

  it("tells, within one canonical pass, what every poll took for the same", async () => {
    const blind = vi.spyOn(Rows.prototype, "isAlike").mockReturnValue(true);
    try {
      nomad.set("jobs/default", 10, [job("a", 5), job("b", 5, { Status: "pending" })]);
      const { logger, lines } = readableLogger();
      start(jobs, {}, { logger });
      await count(3);
      const missed = job("b", 5, { Status: "running" });
      nomad.set("jobs/default", 11, [job("a", 5), missed]);
      await until("the next query", () => nomad.requests.at(-1)?.index === "11");
      nomad.set("jobs/default", 12, [job("a", 5), missed, job("c", 12)]);
      await count(4);
      expect((await events()).map((event) => event.type)).not.toContain("nomad.job.updated");
      skippedMs += 2 * FULL_EVERY_MS;
      nomad.set("jobs/default", 13, [job("a", 5), missed, job("c", 12)]);
      const told = (await count(5)).at(-1);
      expect(told).toMatchObject({ type: "nomad.job.updated", previous: "5", current: "5" });
      expect(told?.data).toMatchObject({
        changes: [{ path: "/Status", from: "pending", to: "running" }],
        observed: { coalesced: "maybe", fromIndex: null, toIndex: "13", since: null },
      });
      await expectFolds([job("a", 5), missed, job("c", 12)]);
      skippedMs += 2 * FULL_EVERY_MS;
      nomad.set("jobs/default", 14, [job("a", 5), missed, job("c", 12), job("d", 14)]);
      expect((await count(6)).at(-1)).toMatchObject({ type: "nomad.job.created" });
      expect(lines).toMatchObject([
        { objects: 1, msg: "changes had been missed and are in the feed now: please report this" },
      ]);
    } finally {
      blind.mockRestore();
    }
  });

  it("counts no canonical pass for which the log could not be read, and makes up for it", async () => {
    const passes = async () => (await metrics.canonicalPasses.get()).values[0]?.value ?? 0;
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    const unread = Promise.withResolvers<void>();
    const loading = vi.spyOn(log, "loadState").mockImplementation(() => {
      unread.resolve();
      throw new LogUnavailable("no answer");
    });
    skippedMs += 2 * FULL_EVERY_MS;
    nomad.set("jobs/default", 11, [job("a", 5)]);
    await unread.promise;
    loading.mockRestore();
    nomad.set("jobs/default", 12, [job("a", 5), job("b", 12)]);
    await count(3);
    expect(await passes()).toBe(0);
    skippedMs += 2 * FULL_EVERY_MS;
    nomad.set("jobs/default", 13, [job("a", 5), job("b", 12)]);
    await until("a pass", async () => (await passes()) === 1);
  });

  it("says once of each object that it read a number as null that JSON cannot express", async () => {
    const { logger, lines } = readableLogger();
    const list = (index: number, ...scores: string[]) => {
      const stubs = scores.map(
        (score, n) => `{"Score":${score},${JSON.stringify(job(`job${n}`, 10 + 2 * n)).slice(1)}`,
      );
      nomad.setBody("jobs/default", index, `[${stubs.join()}]`);
      return until("the next query", () => nomad.requests.at(-1)?.index === `${index}`);
    };
    start(jobs, {}, { logger });
    await list(10, "-Inf");
    await list(11, "-Inf");
    await list(12, "-Inf", "NaN");
    expect(lines.map(({ objects }) => objects)).toEqual([["jobs/default/job0"], ["jobs/default/job1"]]);
    await list(13, "0.5", "NaN");
    await list(14, "-Inf", "NaN");
    expect(lines.slice(2).map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        /^jobs\/default\/job0 has a number that JSON cannot express .* reading it as null$/,
      ),
    ]);
  });

  it("gives no id twice while content changes and no index does, and holds what flaps", async () => {
    const again = async (stubs: readonly object[]): Promise<void> => {
      const asked = nomad.requests.length;
      nomad.set("jobs/default", 11, stubs);
      nomad.failNext(reset());
      await until("the next blocking query", () => nomad.requests.length >= asked + 2);
    };
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    nomad.set("jobs/default", 11, [job("a", 5, { Status: "one" })]);
    await count(3);
    await again([job("a", 5, { Status: "two" })]);
    await again([job("a", 5, { Status: "three" })]);
    const older = job("a", 5, { Status: "two" });
    const newer = { ...older, NodePool: "default" };
    await again([older]);
    await again([newer]);
    const ids = (await count(7)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(7);
    await again([older]);
    await again([newer]);
    await again([older]);
    expect(await events()).toHaveLength(7);
    nomad.set("jobs/default", 12, [job("a", 12, { created: 5, Status: "two" })]);
    await count(8);
    await expectFolds([job("a", 12, { created: 5, Status: "two" })]);
  });

  it("reads a list of one namespace whose jobs do not name it, as Nomad 1.0 writes it", async () => {
    const { Namespace, ...old } = job("a", 5);
    nomad.set("jobs/default", 10, [old]);
    start();
    await count(2);
    nomad.set("jobs/default", 11, [{ ...old, Status: "dead", ModifyIndex: 11 }]);
    expect((await count(3)).at(-1)).toMatchObject({ subject: `jobs/${Namespace}/a`, current: "11" });
    await expectFolds([job("a", 11, { created: 5, Status: "dead" })]);
  });

  it("asks the leader where a follower is out of touch", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { consistency: "stale" });
    await count(2);
    nomad.failNext(new NomadError("NOMAD_STALE_RESPONSE", "out of touch", { retryable: true, hint: "wait" }));
    nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await count(3);
    expect(nomad.requests.slice(1).map((request) => request.consistency)).toEqual(
      expect.arrayContaining(["stale", "default"]),
    );
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("begins a claim with the leader's list, so that a lagging follower cannot set the state back", async () => {
    nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { consistency: "stale" });
    await until("the second query", () => nomad.requests.length >= 2);
    expect(nomad.requests.map((request) => request.consistency).slice(0, 2)).toEqual(["default", "stale"]);
  });

  it("does not accept an empty * list that a namespace contradicts", async () => {
    nomad.set("jobs/*", 10, many(3, 5));
    nomad.set("jobs/default", 10, many(3, 5));
    start(everyJob, { staleAfterMs: 0 });
    await count(4);
    nomad.set("jobs/*", 20, []);
    await until("stale", async () => (await events()).some((event) => event.data["state"] === "stale"));
    await expectFolds(many(3, 5));
    nomad.set("jobs/default", 20, []);
    await until(
      "the deletes",
      async () => (await events()).filter((event) => event.op === "delete").length === 3,
    );
  });
});
