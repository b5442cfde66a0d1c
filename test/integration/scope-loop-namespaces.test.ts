import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { until } from "../support/until.ts";
import { scopeLoopBed, everyJob, job, jobs, many, forbidden } from "../support/scope-loop.ts";

describe("a scope's loop, its namespace and its rights", () => {
  const bed = scopeLoopBed();
  const { start, events, count, expectFolds } = bed;

  it("does not take what outlived its namespace for restored, when one of that name comes back", async () => {
    const left = job("left", 20, { namespace: "qa" });
    bed.nomad.set("jobs/*", 100, [job("a", 10), left]);
    start(everyJob);
    await count(3);
    // To a token that is no management token Nomad lists only what is in namespaces that exist.
    bed.nomad.absent.add("qa");
    bed.nomad.set("jobs/*", 110, [job("a", 10)]);
    expect((await count(4))[3]?.op).toBe("delete");
    bed.nomad.absent.delete("qa");
    bed.nomad.created.set("qa", 120);
    bed.nomad.set("jobs/*", 130, [job("a", 10), left]);
    expect((await count(5))[4]).toMatchObject({ op: "create", id: "0/jobs/qa/left@20+120" });
    bed.nomad.set("jobs/*", 140, [job("a", 10)]);
    expect((await count(6))[5]).toMatchObject({ op: "delete", id: "0/jobs/qa/left@20+120!deleted" });
  });

  it("does not take a list for true that shrank while the token lost its rights", async () => {
    bed.nomad.set("jobs/*", 10, [...many(20, 5), job("x", 6, { namespace: "qa" })]);
    start(everyJob);
    await count(22);
    bed.nomad.hidden.add("qa");
    bed.nomad.set("jobs/*", 20, [...many(19, 5), job("job0019", 15, { created: 5 })]);
    const seen = (await count(24)).slice(22);
    expect(seen.map((event) => event.type).toSorted()).toEqual(["nomad.feed.scope", "nomad.job.updated"]);
    expect(seen.find((event) => event.type === "nomad.feed.scope")?.data).toMatchObject({
      state: "access-lost",
    });
    bed.nomad.hidden.delete("qa");
    const now = [
      ...many(20, 5).slice(0, 19),
      job("job0019", 15, { created: 5 }),
      job("x", 12, { namespace: "qa", created: 6 }),
    ];
    bed.nomad.set("jobs/*", 30, now);
    const after = (await count(26)).slice(24);
    expect(after.map((event) => event.type).toSorted()).toEqual(["nomad.feed.scope", "nomad.job.updated"]);
    await expectFolds(now);
  });

  it("keeps everything while it is refused, and says when it may read again", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    // Ten seconds by the clock for each that passes.
    start(jobs, {}, { clock: { ...systemClock, elapsed: () => performance.now() * 10 } });
    await count(2);
    for (let refusal = 0; refusal < 3; refusal += 1) bed.nomad.failNext(forbidden());
    const seen = (await count(4)).slice(2);
    expect(seen.map((event) => event.data["state"])).toEqual(["access-lost", "access-restored"]);
    await expectFolds([job("a", 5)]);
  });

  it("says nothing of refusals within five seconds, as of a server that starts", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    start();
    await count(2);
    for (let refusal = 0; refusal < 3; refusal += 1) bed.nomad.failNext(forbidden());
    await until("it is read again", () => bed.nomad.requests.length === 6);
    bed.nomad.set("jobs/default", 20, [job("a", 15, { created: 5 })]);
    expect((await count(3)).map(({ type }) => type)).not.toContain("nomad.feed.scope");
  });

  it("accepts that everything is gone where the namespace is gone, and ends", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5), job("b", 5)]);
    const { done } = start();
    await count(3);
    bed.nomad.absent.add("default");
    bed.nomad.failNext(forbidden());
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it("drains a vanished namespace: goes on while anything is left in it", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5), job("b", 5)]);
    const { loop, done } = start();
    await count(3);
    loop.drain();
    bed.nomad.absent.add("default");
    bed.nomad.set("jobs/default", 20, [job("b", 5)]);
    await count(4);
    bed.nomad.set("jobs/default", 30, []);
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it.each([
    ["at once", 2],
    ["after it was asked for", 4],
  ])("goes on when a vanished namespace comes back %s, however empty it is", async (_when, queries) => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop, done } = start();
    await until("the held query", () => bed.nomad.requests.length === 2);
    loop.drain();
    await until("so many queries", () => bed.nomad.requests.length === queries);
    loop.drain(false);
    bed.nomad.set("jobs/default", 20, []);
    await Promise.race([done, count(3)]);
    bed.nomad.set("jobs/default", 30, [job("b", 30)]);
    expect(await Promise.race([done, count(4)])).toHaveLength(4);
  });

  it("ends where a namespace came back and vanished again before it was asked for", async () => {
    bed.nomad.set("jobs/default", 10, [job("a", 5)]);
    const { loop, done } = start();
    await until("the held query", () => bed.nomad.requests.length === 2);
    for (const gone of [true, false, true]) loop.drain(gone);
    bed.nomad.set("jobs/default", 20, []);
    expect(await done).toBe("drained");
    await expectFolds([]);
  });

  it("does not accept an empty * list that a namespace contradicts", async () => {
    bed.nomad.set("jobs/*", 10, many(3, 5));
    bed.nomad.set("jobs/default", 10, many(3, 5));
    start(everyJob, { staleAfterMs: 0 });
    await count(4);
    bed.nomad.set("jobs/*", 20, []);
    await until("stale", async () => (await events()).some((event) => event.data["state"] === "stale"));
    await expectFolds(many(3, 5));
    bed.nomad.set("jobs/default", 20, []);
    await until(
      "the deletes",
      async () => (await events()).filter((event) => event.op === "delete").length === 3,
    );
  });
});
