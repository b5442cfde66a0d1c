import { describe, expect, it, vi } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { Rows } from "../../src/snapshots/rows.ts";
import { until } from "../support/until.ts";
import { scopeLoopBed, jobs, job, many, reset, FULL_EVERY_MS } from "../support/scope-loop.ts";

describe("a scope's loop", () => {
  const bed = scopeLoopBed();
  const { start, stop, events, count, expectFolds, readableLogger } = bed;

  it("measures what it does with a list from the whole body on, the diff included, and not how long Nomad held it", async () => {
    let workMs = 0;
    const clock: Clock = {
      ...systemClock,
      // Only these pass time: each slice of the work takes a second.
      elapsed: () => bed.skippedMs + workMs,
      yield: async () => {
        workMs += 1000;
        await systemClock.yield();
      },
    };
    const measured = async () => {
      const { values } = await bed.metrics.pollSeconds.get();
      const of = (name: string) => values.find(({ metricName }) => metricName?.endsWith(name))?.value ?? 0;
      return { polls: of("_count"), seconds: of("_sum") };
    };
    bed.nomad.set("jobs/default", 10, []);
    start(jobs, {}, { clock });
    await until("the first list is told", async () => (await measured()).polls === 1);
    bed.skippedMs = 200_000;
    bed.nomad.set("jobs/default", 11, many(2000, 11));
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
    bed.nomad.set("jobs/default", 10, many(50, 5));
    start(jobs, { baseline: "marker" });
    const [baseline] = await count(1);
    expect(baseline).toMatchObject({ type: "nomad.feed.baseline", data: { count: 50, index: "10" } });
    bed.nomad.set("jobs/default", 12, [...many(49, 5), job("job0049", 12, { created: 5, Status: "dead" })]);
    const [, update] = await count(2);
    expect(update).toMatchObject({ type: "nomad.job.updated", previous: "5", current: "12", mode: "live" });
  });

  it("asks with the index it was given, never with 0", async () => {
    bed.nomad.set("jobs/default", 0, []);
    start();
    await until("the second query", () => bed.nomad.requests.length === 2);
    expect(bed.nomad.requests.map((request) => request.index)).toEqual([undefined, "0"]);
    // The client turns 0 into 1: see the client's own tests.
  });

  it("catches up after a stop: creates, updates and deletions with their last state", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5), job("b", 5), job("c", 5)]);
    const first = start();
    await count(4);
    await stop(first);
    bed.nomad.set("jobs/default", 20, [job("a", 5), job("b", 15, { created: 5 }), job("d", 18)]);
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
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    bed.nomad.set("jobs/default", 20, [job("a", 18)]);
    const [removed, created] = (await count(4)).slice(2);
    expect([removed?.op, removed?.id]).toEqual(["delete", "0/jobs/default/a@5!deleted"]);
    expect([created?.op, created?.id]).toEqual(["create", "0/jobs/default/a@18"]);
    await expectFolds([job("a", 18)]);
  });

  it("takes a summary that vanishes and comes back for two updates, each with an id of its own", async () => {
    const summed = (JobSummary: object | null) => ({ ...job("web", 12), JobSummary });
    bed.nomad.set("jobs/default", 12, [summed({ ModifyIndex: 12 })]);
    start();
    await count(2);
    const whole = [summed({ ModifyIndex: 55 })];
    bed.nomad.set("jobs/default", 55, whole);
    await count(3);
    bed.nomad.set("jobs/default", 60, [summed(null)]);
    await count(4);
    bed.nomad.set("jobs/default", 61, whole);
    const seen = (await count(5)).slice(2);
    expect(seen.map((event) => [event.id, event.previous])).toEqual([
      ["0/jobs/default/web@55", "12"],
      ["0/jobs/default/web@12+60", "55"],
      ["0/jobs/default/web@55+61", "12"],
    ]);
    await expectFolds(whole);
  });

  it("holds whole lists to what it has told from time to time, and nothing is news then", async () => {
    bed.nomad.set("jobs/default", 10, many(20, 5));
    start(jobs, { fullEveryMs: 1 });
    await count(21);
    bed.nomad.set(
      "jobs/default",
      11,
      many(20, 5).map(({ ID, ...rest }) => ({ ...rest, ID })),
    );
    await until("a canonical pass", async () =>
      /nomad_changefeed_canonical_passes_total\{resource="jobs"\} [1-9]/.test(
        await bed.metrics.registry.metrics(),
      ),
    );
    bed.nomad.set("jobs/default", 30, [...many(20, 5), job("new", 30)]);
    await count(22);
    await expectFolds([...many(20, 5), job("new", 30)]);
  });

  it("tells, within one canonical pass, what every poll took for the same", async () => {
    const blind = vi.spyOn(Rows.prototype, "isAlike").mockReturnValue(true);
    try {
      bed.nomad.set("jobs/default", 10, [job("a", 5), job("b", 5, { Status: "pending" })]);
      const { logger, lines } = readableLogger();
      start(jobs, {}, { logger });
      await count(3);
      const missed = job("b", 5, { Status: "running" });
      bed.nomad.set("jobs/default", 11, [job("a", 5), missed]);
      await until("the next query", () => bed.nomad.requests.at(-1)?.index === "11");
      bed.nomad.set("jobs/default", 12, [job("a", 5), missed, job("c", 12)]);
      await count(4);
      expect((await events()).map((event) => event.type)).not.toContain("nomad.job.updated");
      bed.skippedMs += 2 * FULL_EVERY_MS;
      bed.nomad.set("jobs/default", 13, [job("a", 5), missed, job("c", 12)]);
      const told = (await count(5)).at(-1);
      expect(told).toMatchObject({ type: "nomad.job.updated", previous: "5", current: "5" });
      expect(told?.data).toMatchObject({
        changes: [{ path: "/Status", from: "pending", to: "running" }],
        observed: { coalesced: "maybe", fromIndex: null, toIndex: "13", since: null },
      });
      await expectFolds([job("a", 5), missed, job("c", 12)]);
      bed.skippedMs += 2 * FULL_EVERY_MS;
      bed.nomad.set("jobs/default", 14, [job("a", 5), missed, job("c", 12), job("d", 14)]);
      expect((await count(6)).at(-1)).toMatchObject({ type: "nomad.job.created" });
      expect(lines).toMatchObject([
        { objects: 1, msg: "changes had been missed and are in the feed now: please report this" },
      ]);
    } finally {
      blind.mockRestore();
    }
  });

  it("counts no canonical pass for which the log could not be read, and makes up for it", async () => {
    const passes = async () => (await bed.metrics.canonicalPasses.get()).values[0]?.value ?? 0;
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    const unread = Promise.withResolvers<void>();
    const loading = vi.spyOn(bed.log, "loadState").mockImplementation(() => {
      unread.resolve();
      throw new LogUnavailable("no answer");
    });
    bed.skippedMs += 2 * FULL_EVERY_MS;
    bed.nomad.set("jobs/default", 11, [job("a", 5)]);
    await unread.promise;
    loading.mockRestore();
    bed.nomad.set("jobs/default", 12, [job("a", 5), job("b", 12)]);
    await count(3);
    expect(await passes()).toBe(0);
    bed.skippedMs += 2 * FULL_EVERY_MS;
    bed.nomad.set("jobs/default", 13, [job("a", 5), job("b", 12)]);
    await until("a pass", async () => (await passes()) === 1);
  });

  it("says once of each object that it read a number as null that JSON cannot express", async () => {
    const { logger, lines } = readableLogger();
    const list = (index: number, ...scores: string[]) => {
      const stubs = scores.map(
        (score, n) => `{"Score":${score},${JSON.stringify(job(`job${n}`, 10 + 2 * n)).slice(1)}`,
      );
      bed.nomad.setBody("jobs/default", index, `[${stubs.join()}]`);
      return until("the next query", () => bed.nomad.requests.at(-1)?.index === `${index}`);
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
      const asked = bed.nomad.requests.length;
      bed.nomad.set("jobs/default", 11, stubs);
      bed.nomad.failNext(reset());
      await until("the next blocking query", () => bed.nomad.requests.length >= asked + 2);
    };
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    bed.nomad.set("jobs/default", 11, [job("a", 5, { Status: "one" })]);
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
    bed.nomad.set("jobs/default", 12, [job("a", 12, { created: 5, Status: "two" })]);
    await count(8);
    await expectFolds([job("a", 12, { created: 5, Status: "two" })]);
  });

  it("reads a list of one namespace whose jobs do not name it, as Nomad 1.0 writes it", async () => {
    const { Namespace, ...old } = job("a", 5);
    bed.nomad.set("jobs/default", 10, [old]);
    start();
    await count(2);
    bed.nomad.set("jobs/default", 11, [{ ...old, Status: "dead", ModifyIndex: 11 }]);
    expect((await count(3)).at(-1)).toMatchObject({ subject: `jobs/${Namespace}/a`, current: "11" });
    await expectFolds([job("a", 11, { created: 5, Status: "dead" })]);
  });
});
