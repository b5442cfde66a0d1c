import { describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { until } from "../support/until.ts";
import { scopeLoopBed, jobs, everyJob, job, many, reset } from "../support/scope-loop.ts";

describe("a scope's loop and restores of Nomad", () => {
  const bed = scopeLoopBed();
  const { start, stop, events, count, expectFolds } = bed;

  it("notices a restore that took the index back", async () => {
    bed.nomad.set("jobs/default", 100, [job("a", 90), job("b", 50)]);
    start();
    await count(3);
    bed.nomad.set("jobs/default", 120, [job("a", 110, { created: 90 }), job("b", 50)]);
    await count(4);
    // The restored server sleeps on the old index; the loop sees it when the query ends.
    bed.nomad.set("jobs/default", 60, [job("b", 50)]);
    bed.nomad.failNext(reset());
    const seen = (await count(7)).slice(4);
    expect(seen.map((event) => event.type)).toEqual([
      "nomad.feed.resync",
      "nomad.job.deleted",
      "nomad.feed.resync",
    ]);
    expect(seen[0]?.data).toMatchObject({ phase: "begin", reason: expect.stringContaining("120 to 60") });
    expect(seen[1]?.id).toMatch(/^1\//);
    // Nomad gives out index 110 again, for another version: another id.
    bed.nomad.set("jobs/default", 115, [job("a", 110), job("b", 50)]);
    const again = (await count(8))[7];
    expect(again?.id).toBe("1/jobs/default/a@110");
    await expectFolds([job("a", 110), job("b", 50)]);
  });

  it.each([
    ["a namespace", jobs],
    ["all namespaces, where rights might have widened", everyJob],
  ])("notices a restore that brings back what was deleted, changed since: %s", async (_what, scope) => {
    const list = `jobs/${scope.namespace}`;
    bed.nomad.set(list, 100, [job("a", 20), job("b", 50)]);
    start(scope);
    await count(3);
    bed.nomad.set(list, 110, [job("b", 50)]);
    await count(4);
    bed.nomad.set(list, 140, [job("a", 135, { created: 20 }), job("b", 50)]);
    await count(7);
    bed.nomad.set(list, 150, [job("b", 50)]);
    const ids = (await count(8)).map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe("1/jobs/default/a@20!deleted");
    await expectFolds([job("b", 50)]);
  });

  it("notices a restore that brings back what was deleted in a namespace that is gone", async () => {
    const [a, b] = [job("a", 20, { namespace: "qa" }), job("b", 50, { namespace: "qa" })];
    bed.nomad.absent.add("qa");
    bed.nomad.set("jobs/qa", 100, [a, b]);
    start({ resource: "jobs", namespace: "qa" });
    await count(3);
    bed.nomad.set("jobs/qa", 110, [b]);
    await count(4);
    bed.nomad.set("jobs/qa", 140, [a, b]);
    await count(7);
    bed.nomad.set("jobs/qa", 150, [b]);
    const ids = (await count(8)).map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe("1/jobs/qa/a@20!deleted");
  });

  it("counts one restore once, though every scope notices it for itself", async () => {
    const qa = (rev: number) => job("q", rev, { namespace: "qa", created: 3 });
    bed.nomad.set("jobs/default", 100, [job("a", 90, { created: 4 })]);
    bed.nomad.set("jobs/qa", 100, [qa(95)]);
    start();
    start({ resource: "jobs", namespace: "qa" });
    await count(4);
    bed.nomad.set("jobs/default", 150, [job("a", 20, { created: 4 })]);
    await count(7);
    bed.nomad.set("jobs/qa", 150, [qa(30)]);
    const updates = (await count(10)).filter((event) => event.op === "update");
    expect(updates.map((event) => event.id)).toEqual(["1/jobs/default/a@20", "1/jobs/qa/q@30"]);
    expect((await bed.log.head()).nomadEpoch).toBe(1);
  });

  it("notices a restore behind a higher index", async () => {
    bed.nomad.set("jobs/default", 100, [job("a", 90, { created: 40 }), job("b", 50)]);
    start();
    await count(3);
    bed.nomad.set("jobs/default", 130, [job("a", 70, { created: 40 }), job("b", 50), job("c", 130)]);
    const seen = (await count(7)).slice(3);
    expect(seen.map((event) => event.type)).toEqual([
      "nomad.feed.resync",
      "nomad.job.updated",
      "nomad.job.created",
      "nomad.feed.resync",
    ]);
    await expectFolds([job("a", 70, { created: 40 }), job("b", 50), job("c", 130)]);
  });

  it("accepts the list of a leader that was deposed a moment ago only after it could know", async () => {
    const before = [job("a", 90), job("b", 50)];
    bed.nomad.set("jobs/default", 100, before);
    start();
    await count(3);
    bed.nomad.set("jobs/default", 60, [job("b", 50)]);
    bed.nomad.failNext(reset());
    await until("the list was read from it twice", () => bed.nomad.requests.length >= 4);
    bed.nomad.set("jobs/default", 110, [...before, job("c", 105)]);
    const seen = (await count(4)).slice(3);
    expect(seen.map((event) => event.id)).toEqual(["0/jobs/default/c@105"]);
  });

  it("does not take another job of the same name for one that was deleted", async () => {
    bed.nomad.set("jobs/default", 100, [job("a", 20), job("b", 20)]);
    const first = start();
    await count(3);
    bed.nomad.set("jobs/default", 110, [job("b", 20)]);
    await count(4);
    await stop(first);
    // A scope that inherits an index may have missed what others see; this one is registered anew.
    bed.nomad.set("jobs/*", 120, [job("a", 105), job("b", 20)]);
    start(everyJob);
    expect((await count(5))[4]).toMatchObject({ op: "create", id: "0/jobs/default/a@105+120" });
  });

  it("begins an interrupted resync anew, in a generation of its own, and ends it", async () => {
    const before = Array.from({ length: 900 }, (_, position) =>
      job(`job${String(position).padStart(4, "0")}`, 200, { created: 5 }),
    );
    bed.nomad.set("jobs/default", 300, before);
    const first = start();
    await count(901);
    await stop(first);
    // Hidden: the index is higher, only the revs show it, and the first chunk takes those that do.
    const after = before.map((stub) => ({ ...stub, ModifyIndex: stub.ID < "job0600" ? 60 : 350 }));
    bed.nomad.set("jobs/default", 400, after);
    bed.log.breakNext(
      (_commit, write) => write(),
      () => {
        second.abort.abort(new Error("killed"));
        return Promise.reject(new LogUnavailable("killed"));
      },
    );
    const second = start();
    await second.done;
    expect((await bed.log.head()).nomadEpoch).toBe(1);
    start();
    const ended = await until("the end of the resync", async () => {
      const all = await events();
      return all.at(-1)?.data["phase"] === "end" && all;
    });
    const resyncs = ended.filter((event) => event.type === "nomad.feed.resync");
    expect(resyncs.map((event) => event.data["phase"])).toEqual(["begin", "begin", "end"]);
    expect((await bed.log.head()).nomadEpoch).toBe(2);
    await expectFolds(after);
  });

  it("does not take rights that came back while it was away for a restore", async () => {
    const x = job("x", 6, { namespace: "qa" });
    bed.nomad.set("jobs/*", 10, [...many(20, 5), x]);
    const first = start(everyJob);
    await count(22);
    bed.nomad.hidden.add("qa");
    bed.nomad.set("jobs/*", 20, many(20, 5));
    await count(23);
    await stop(first);
    bed.nomad.hidden.delete("qa");
    const now = [...many(20, 5), { ...x, ModifyIndex: 12 }];
    bed.nomad.set("jobs/*", 30, now);
    start(everyJob);
    await until("the update", async () => (await events()).some((event) => event.current === "12"));
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
    await expectFolds(now);
  });
});
