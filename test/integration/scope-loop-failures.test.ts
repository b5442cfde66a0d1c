import { describe, expect, it } from "vitest";
import { LogFull, LogUnavailable } from "../../src/feed/errors.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { Backlog } from "../../src/pollers/backlog.ts";
import { OutageReporter } from "../../src/pollers/outage-reporter.ts";
import { QueryWait } from "../../src/pollers/query-wait.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { until } from "../support/until.ts";
import { scopeLoopBed, jobs, everyJob, job, many, cutOff, forbidden, reset } from "../support/scope-loop.ts";

describe("a scope's loop and failures", () => {
  const bed = scopeLoopBed();
  const { start, stop, events, count, expectFolds } = bed;

  it("writes a commit once whose answer was lost", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    bed.log.breakNext(async (_commit, write) => {
      await write();
      throw new LogUnavailable("the answer was lost");
    });
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until(
      "the retry",
      () =>
        bed.log.commits.length >= 3 && bed.log.commits.at(-1)?.commitId === bed.log.commits.at(-2)?.commitId,
    );
    bed.nomad.set("jobs/default", 30, [job("a", 25, { created: 5 })]);
    await count(4);
    await expectFolds([job("a", 25, { created: 5 })]);
  });

  it("pauses while the disk is full and goes on when there is room", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    const full = async () => Promise.reject(new LogFull("no space left"));
    bed.log.breakNext(full, full, full);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await count(3);
    await expectFolds([job("a", 15, { created: 5 })]);
  });

  it("goes on from the middle of a large catch-up that was cut between chunks", async () => {
    bed.nomad.set("jobs/default", 10, []);
    const first = start();
    await count(1);
    await stop(first);
    bed.log.breakNext(
      (_commit, write) => write(),
      () => {
        second.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    bed.nomad.set("jobs/default", 20, many(1_300, 15));
    const second = start();
    await second.done;
    expect((await events()).length).toBe(501);
    start();
    await count(1_301);
    await expectFolds(many(1_300, 15));
  });

  /** A loop whose queries wait 60 s by a clock that the test moves, with `pass`; `lines`: what it said. */
  async function startWaiting() {
    const { logger, lines } = recordingLogger();
    let nowMs = 0;
    const queryWait = new QueryWait(60_000, logger, { ...systemClock, elapsed: () => nowMs });
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 }, { queryWait, logger });
    await count(2);
    return { lines, pass: (ms: number) => void (nowMs += ms) };
  }

  it("waits less where queries are ended early, and reads no list for it", async () => {
    const { lines, pass } = await startWaiting();
    for (const asked of [3, 4]) {
      pass(60_100);
      bed.nomad.failNext(cutOff(60_000));
      await until("the next query", () => bed.nomad.requests.length === asked);
    }
    expect(bed.nomad.requests.slice(1).map(({ index, waitMs }) => [index, waitMs])).toEqual([
      ["10", 60_000],
      ["10", 60_000],
      ["10", 53_647],
    ]);
    expect(lines).toEqual([
      "something between this process and Nomad ends queries after 60 s; queries now wait at most 53.6 s",
    ]);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect((await count(3)).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("tries a longer wait after an hour, which costs no list and no event where it is ended", async () => {
    const { lines, pass } = await startWaiting();
    const asks = (queries: number) =>
      until(
        "the next query",
        () => bed.nomad.requests.length === queries && bed.nomad.requests.at(-1)?.waitMs,
      );
    const endEarly = async (queries: number) => {
      pass(60_100);
      bed.nomad.failNext(cutOff(60_000));
      return asks(queries);
    };
    await endEarly(3);
    expect(await endEarly(4)).toBe(53_647);
    bed.nomad.heldMs = 53_700;
    pass(3_600_000);
    bed.nomad.set("jobs/default", 20, [job("a", 5)]);
    expect(await asks(5)).toBe(60_000);
    expect(await endEarly(6)).toBe(53_647);
    expect(bed.nomad.requests.slice(4).map(({ index }) => index)).toEqual(["20", "20"]);
    expect(lines).toHaveLength(1);
    bed.nomad.set("jobs/default", 30, [job("a", 25, { created: 5 })]);
    expect((await count(3)).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("takes a third query in a row that ends early for a failure, and none before", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 });
    await count(2);
    const endEarly = async () => {
      const { length } = bed.nomad.requests;
      bed.nomad.failNext(cutOff(1_000 * (3 + length)));
      await until("the next query", () => bed.nomad.requests.length > length);
    };
    for (const rev of [20, 30]) {
      await endEarly();
      await endEarly();
      bed.nomad.set("jobs/default", rev, [job("a", rev, { created: 5 })]);
      await until("the next query", () => bed.nomad.requests.at(-1)?.index === `${rev}`);
    }
    expect((await count(4)).map(({ type }) => type)).not.toContain("nomad.feed.scope");
    for (let time = 0; time < 3; time += 1) await endEarly();
    expect((await count(5))[4]?.data["state"]).toBe("stale");
  });

  it("says that it is stale, once, and that it recovered", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { staleAfterMs: 0 });
    await count(2);
    for (let failure = 0; failure < 3; failure += 1) bed.nomad.failNext(reset());
    const seen = (await count(4)).slice(2);
    expect(seen.map((event) => event.data["state"])).toEqual(["stale", "recovered"]);
  });

  it("is not refused for good by a server that stops, is away and starts", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop } = start(jobs, { staleAfterMs: 3_600_000 });
    await count(2);
    bed.nomad.failNext(forbidden());
    await until("it is refused", () => loop.report().reason !== null);
    bed.skippedMs = 60_000;
    for (const failure of [reset(), forbidden(), forbidden()]) bed.nomad.failNext(failure);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect((await count(3)).map(({ type }) => type)).not.toContain("nomad.feed.scope");
  });

  it("is stale to everybody when it starts over for ever, whatever the reason", async () => {
    const { logger, lines } = recordingLogger();
    const outages = new OutageReporter(logger, systemClock);
    const staleMetric = async () =>
      /scope_stale\{resource="jobs",namespace="default"\} (\d)/.exec(
        await bed.metrics.registry.metrics(),
      )?.[1];
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop } = start(jobs, { staleAfterMs: 0 }, { outages });
    await count(2);
    const bug = async () => Promise.reject(new TypeError("x is undefined"));
    bed.log.breakNext(bug, bug, bug, bug);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until("it tried again and again", () => bed.log.commits.length >= 5);
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
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop } = start(jobs, { staleAfterMs: 0 });
    await count(2);
    const full = async () => Promise.reject(new LogFull("no space left"));
    bed.log.breakNext(...Array.from({ length: 12 }, () => full));
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until("it is paused", () => loop.report().reason?.includes("LOG_FULL"));
    loop.checkStale();
    expect(loop.report()).toMatchObject({ condition: "stale", upToDate: false, broken: false });
    await count(3);
    await until("it is well", () => loop.report().condition === "ok");
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("is stale no longer than others hold it up", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const backlog = new Backlog(createMetrics(), 10);
    const { loop } = start(jobs, { staleAfterMs: 0 }, { backlog });
    await count(2);
    const written = Promise.withResolvers<void>();
    const others = backlog.whileWriting(100, () => written.promise);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await until("it is stale", () => loop.report().condition === "stale");
    written.resolve();
    await others;
    await until("it is well", () => loop.report().condition === "ok");
  });

  it("does not say that what is hidden may be read again, because others no longer hold it up", async () => {
    bed.nomad.set("jobs/*", 10, [...many(20, 5), job("x", 6, { namespace: "qa" })]);
    const backlog = new Backlog(createMetrics(), 10);
    const { loop } = start(everyJob, { staleAfterMs: 0 }, { backlog });
    await count(22);
    const written = Promise.withResolvers<void>();
    const others = backlog.whileWriting(100, () => written.promise);
    bed.nomad.hidden.add("qa");
    bed.nomad.set("jobs/*", 20, [...many(19, 5), job("job0019", 15, { created: 5 })]);
    await count(24);
    await until("it waits for others", () => !loop.report().upToDate);
    written.resolve();
    await others;
    await until("it waits no longer", () => loop.report().upToDate);
    await until("it asks again", () => loop.report().reading !== null);
    const states = (await events())
      .map((event) => event.data["state"])
      .filter((state) => state !== undefined);
    expect([states, loop.report().condition]).toEqual([["access-lost"], "access-lost"]);
  });

  it("stops at once when somebody else claims the scope, and writes nothing more", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { done } = start();
    await count(2);
    const theirs = await bed.log.claim(everyJob, "somebody else");
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect(await done).toBe("fenced");
    expect(await events()).toHaveLength(2);
    expect(theirs.baselined).toBe(true);
  });

  it("reads everything anew when its idea of the log is wrong", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    bed.log.breakNext(async (commit) => bed.log.commit({ ...commit, expectedRev: commit.expectedRev + 7 }));
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    const update = (await count(3))[2];
    expect(update).toMatchObject({ op: "update", previous: "5", current: "15", mode: "catchup" });
    await expectFolds([job("a", 15, { created: 5 })]);
  });

  it("tells a delete that fell into an interrupted baseline", async () => {
    bed.nomad.set("jobs/default", 10, many(800, 5));
    bed.log.breakNext(
      (_commit, write) => write(),
      () => {
        first.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    const first = start();
    await first.done;
    expect(await events()).toHaveLength(500);
    bed.nomad.set("jobs/default", 20, many(800, 5).slice(1));
    start();
    await until("the baseline", async () =>
      (await events()).some((event) => event.type === "nomad.feed.baseline"),
    );
    await expectFolds(many(800, 5).slice(1));
  });

  it("calls trouble over that was spoken of before a restart", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const first = start(jobs, { staleAfterMs: 0 });
    await count(2);
    bed.nomad.failNext(reset());
    await until("stale", async () => (await events()).some((event) => event.data["state"] === "stale"));
    await stop(first);
    start();
    await until("recovered", async () => (await events()).at(-1)?.data["state"] === "recovered");
  });

  it("asks the leader where a follower is out of touch", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { consistency: "stale" });
    await count(2);
    bed.nomad.failNext(
      new NomadError("NOMAD_STALE_RESPONSE", "out of touch", { retryable: true, hint: "wait" }),
    );
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    await count(3);
    expect(bed.nomad.requests.slice(1).map((request) => request.consistency)).toEqual(
      expect.arrayContaining(["stale", "default"]),
    );
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.scope");
  });

  it("begins a claim with the leader's list, so that a lagging follower cannot set the state back", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start(jobs, { consistency: "stale" });
    await until("the second query", () => bed.nomad.requests.length >= 2);
    expect(bed.nomad.requests.map((request) => request.consistency).slice(0, 2)).toEqual([
      "default",
      "stale",
    ]);
  });
});
