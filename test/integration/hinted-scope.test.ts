import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { Conflict, LogUnavailable } from "../../src/feed/errors.ts";
import { abortListeners } from "../support/abort-listeners.ts";
import { HintedScope } from "../support/hinted-scope.ts";
import { cutOff } from "../support/scope-loop.ts";
import { until } from "../support/until.ts";

const SCOPE: Scope = { resource: "allocations", namespace: "default" };
const NAME = "allocations/default";

function allocation(id: string, rev: number, more: { created?: number; ClientStatus?: string } = {}) {
  const { created = rev, ...fields } = more;
  return {
    ID: id,
    Namespace: "default",
    JobID: "web",
    ClientStatus: "running",
    CreateIndex: created,
    ModifyIndex: rev,
    ...fields,
  };
}

const hint = (key: string) => ({
  resource: "allocations" as const,
  namespace: "default",
  key,
  cause: "Allocation" as const,
});

describe("a scope that is read by hints", () => {
  let at: HintedScope;

  const hinted = () => until("it is read by hints", () => at.loop.report().reading === "hinted");
  const truth = async (stubs: readonly { ID: string }[]) =>
    expect(await at.verdict(stubs)).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });

  beforeEach(async () => {
    at = await HintedScope.open(SCOPE);
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  it("reads the object that a hint names, and no list", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    const before = at.lists;
    at.nomad.set(NAME, 12, [
      allocation("a1", 12, { created: 5, ClientStatus: "failed" }),
      allocation("b1", 6),
    ]);
    at.hints.tell(12, hint("a1"));
    const [event] = await at.count(1);
    expect(event).toMatchObject({ type: "nomad.allocation.updated", previous: "5", current: "12" });
    expect(event?.data).toMatchObject({ observed: { via: "hint", coalesced: "no", mode: "live" } });
    expect(at.reads).toEqual(["a1"]);
    expect(at.lists).toBe(before);
    await truth([allocation("a1", 12, { created: 5, ClientStatus: "failed" }), allocation("b1", 6)]);
  });

  it("leaves nobody listening for its end once it has dealt with what came", async () => {
    using listeners = abortListeners();
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const deal = async (from: number, to: number): Promise<void> => {
      for (let rev = from; rev < to; rev++) {
        at.nomad.set(NAME, rev, [allocation("a1", rev, { created: 5, ClientStatus: String(rev) })]);
        at.hints.tell(rev, hint("a1"));
        await at.count(rev - 19);
        const { lists } = at;
        await at.passUntil("a list is read", () => at.lists > lists, 15_000);
      }
    };
    await deal(20, 22);
    const before = listeners.count();
    await deal(22, 32);
    expect(listeners.count()).toBeLessThan(before + 5);
  });

  it("hears hints before it asks for its first list, so that one is enough", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    expect(at.lists).toBe(1);
  });

  it("needs one list where the log knows that it is large", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5, { ClientStatus: "x".repeat(100_000) })]);
    await at.startHinted({ reading: "auto" });
    await at.stop();
    const [lists, rings] = [at.lists, at.rings.length];
    at.start({ reading: "auto" });
    await at.passUntil("the doorbell waits again", () => at.rings.length > rings);
    expect(at.lists - lists).toBe(1);
  });

  it("waits with a read until the write is there that the hint told of", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.hints.tell(12, hint("a1"));
    await until("it is asked for", () => at.reads.length === 1);
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    expect(await at.count(1)).toMatchObject([{ current: "12" }]);
  });

  it("does not claim to have seen every version where several hints led to one read", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.hints.tell(12, hint("a1"));
    await until("the first read waits", () => at.reads.length === 1);
    at.hints.tell(13, hint("a1"));
    at.nomad.set(NAME, 13, [allocation("a1", 13, { created: 5 })]);
    const [event] = await at.count(1);
    expect(event?.data).toMatchObject({ observed: { via: "hint", coalesced: "maybe" } });
  });

  it("tells every state that the events hold whole", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const states = [12, 13, 14].map((rev) => allocation("a1", rev, { created: 5 }));
    for (const state of states)
      at.hints.tell(state.ModifyIndex, { ...hint("a1"), payload: Buffer.from(JSON.stringify(state)) });
    const all = await at.count(3);
    expect(all.map(({ current, data }) => [current, data.observed])).toMatchObject([
      ["12", { coalesced: "no" }],
      ["13", { coalesced: "no" }],
      ["14", { coalesced: "no" }],
    ]);
    expect(all.at(-1)?.data.observed).not.toHaveProperty("superseded");
    expect(at.reads).toEqual([]);
  });

  it("marks states in between that were past when they were read", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const states = [12, 13].map((rev) => allocation("a1", rev, { created: 5 }));
    for (const state of states)
      at.hints.tell(state.ModifyIndex, { ...hint("a1"), payload: Buffer.from(JSON.stringify(state)) });
    const [first, last] = await at.count(2);
    expect(first?.data).toMatchObject({ observed: { superseded: true } });
    expect(last?.data).toMatchObject({ observed: { coalesced: "no" } });
  });

  it("reads the list some seconds after a write that no hint explains", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    at.nomad.set(NAME, 15, [allocation("a1", 5)]);
    await until("the doorbell rang", () => at.rings.length > 0);
    await at.clock.advance(4_000);
    expect(await at.events()).toEqual([]);
    await at.passUntil("the list is read", () => at.loop.report().index === "15");
    const [event] = await at.count(1);
    expect(event).toMatchObject({ type: "nomad.allocation.deleted", subject: `${NAME}/b1` });
    expect(event?.data).toMatchObject({ observed: { via: "list" } });
  });

  it("reads the list after a purge, though another frame of its entry names objects", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    at.nomad.set(NAME, 15, [allocation("b1", 15, { created: 6 })]);
    at.hints.tell(15, { resource: "jobs", namespace: "default", key: "web", cause: "Job", gone: true });
    at.hints.tell(15, hint("b1"));
    const purgedAtMs = at.clock.elapsed();
    await at.passUntil("the list is read", () => at.loop.report().index === "15");
    expect(at.clock.elapsed() - purgedAtMs).toBeLessThan(10_000);
    const seen = await at.count(2);
    expect(seen.map(({ type }) => type)).toEqual(["nomad.allocation.updated", "nomad.allocation.deleted"]);
  });

  it("reads no list for a write that a hint explains, be it later", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.set(NAME, 15, [allocation("a1", 5)]);
    await at.passUntil("the doorbell rang", () => at.rings.includes("15"));
    at.hints.tell(15);
    for (let s = 0; s < 60; s += 5) await at.clock.advance(5_000);
    expect(await at.listsBy("unexplained")).toBe(0);
    expect(await at.listsBy("doubt")).toBe(0);
  });

  it("finds within seconds what was written unheard just before a write that a hint explains", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    const writtenAtMs = at.clock.elapsed();
    // The doorbell rings once, for the second write.
    at.nomad.set(NAME, 16, [allocation("a1", 16, { created: 5 })]);
    at.hints.tell(16, hint("a1"));
    await at.passUntil("the list is read", () => at.loop.report().index === "16");
    expect(at.clock.elapsed() - writtenAtMs).toBeLessThan(20_000);
    expect((await at.count(2)).at(-1)).toMatchObject({
      type: "nomad.allocation.deleted",
      subject: `${NAME}/b1`,
    });
  });

  it("tells that an object is gone which a hint named, if the token may still see it", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    at.nomad.set(NAME, 12, [allocation("b1", 6)]);
    at.hints.tell(12, hint("a1"));
    expect(await at.count(1)).toMatchObject([{ type: "nomad.allocation.deleted", subject: `${NAME}/a1` }]);
  });

  it("takes nothing for gone that the token may not see any more", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    at.nomad.hidden.add("default");
    at.nomad.set(NAME, 12, []);
    at.hints.tell(12, hint("a1"));
    await at.passUntil("the list is read", () => at.loop.report().condition === "access-lost");
    expect((await at.events()).map(({ type }) => type)).toEqual(["nomad.feed.scope"]);
  });

  it("reads one list more for a job that is gone and had nothing of the scope", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.hints.tell(12, { resource: "jobs", namespace: "default", key: "web", cause: "Job", gone: true });
    for (let s = 0; s < 60; s += 5) await at.clock.advance(5_000);
    expect(await at.listsBy("unexplained")).toBe(1);
    expect(await at.listsBy("doubt")).toBe(0);
  });

  it("does not go on for the indexes of before a restore", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.set(NAME, 31, [allocation("a1", 5)]);
    await at.passUntil("the doorbell rang", () => at.rings.includes("31"));
    at.nomad.set(NAME, 8, [allocation("a1", 4)]);
    await at.passUntil("it is told", () => at.loop.report().index === "8");
    await hinted();
    const before = [await at.listsBy("unexplained"), await at.listsBy("doubt")];
    for (let s = 0; s < 60; s += 5) await at.clock.advance(5_000);
    expect([await at.listsBy("unexplained"), await at.listsBy("doubt")]).toEqual(before);
  });

  it("loses nothing that was read when the namespace came back just then", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted();
    const before = at.lists;
    at.loop.drain();
    await at.passUntil("it was read again", () => at.lists > before && at.loop.report().reading === "hinted");
    const asked = Promise.withResolvers<void>();
    at.nomad.namespacePresence = (_name, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
        asked.resolve();
      });
    at.nomad.set(NAME, 12, [allocation("b1", 6)]);
    at.hints.tell(12, hint("a1"));
    await asked.promise;
    at.nomad.namespacePresence = async () => "present";
    at.loop.drain();
    at.loop.drain(false);
    await at.passUntil("it is read again", () => at.loop.report().index === "12");
    expect(await at.count(1)).toMatchObject([{ type: "nomad.allocation.deleted", subject: `${NAME}/a1` }]);
  });

  it("asks Nomad nothing while it has no claim", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const claim = at.log.claim.bind(at.log);
    const away = Promise.withResolvers<void>();
    at.log.claim = async () => {
      away.resolve();
      throw new LogUnavailable("gone", { hint: "wait" });
    };
    at.log.commit = async () => {
      throw new Conflict(SCOPE, 1, 2);
    };
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    at.hints.tell(12, hint("a1"));
    await at.passUntil("the claim is lost", () => at.loop.report().index === null);
    await at.clock.advance(1_000);
    await away.promise;
    const before = at.nomad.requests.length;
    for (let rev = 20; rev < 30; rev++) {
      at.nomad.set(NAME, rev, [allocation("a1", rev, { created: 5 })]);
      at.hints.tell(rev, hint("a1"));
      await at.clock.advance(1_000);
    }
    expect(at.nomad.requests).toHaveLength(before);
    at.log.claim = claim;
  });

  it("tells the last state where more was heard than is kept", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const written = Promise.withResolvers<void>();
    const commit = at.log.commit.bind(at.log);
    at.log.commit = async (what) => {
      at.log.commit = commit;
      await written.promise;
      return commit(what);
    };
    const state = (rev: number) => allocation("a1", rev, { created: 5 });
    const tell = (rev: number) =>
      at.hints.tell(rev, { ...hint("a1"), payload: Buffer.from(JSON.stringify(state(rev))) });
    tell(12);
    await at.clock.advance(0);
    for (let rev = 13; rev < 9_000; rev++) tell(rev);
    at.nomad.set(NAME, 9_000, [state(9_000)]);
    written.resolve();
    await at.passUntil("the list is read", () => at.loop.report().index === "9000");
    const all = await at.events();
    expect(all.at(-1)).toMatchObject({ current: "9000" });
    expect(all.length).toBeLessThan(2_000);
  });

  it("reads whole lists while hints may be missing, and hints again after one", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.hints.gap("the event stream ended");
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    await at.passUntil("the list is read", () => at.loop.report().index === "12");
    expect(at.loop.report().reading).toBe("lists");
    at.hints.live();
    at.nomad.set(NAME, 14, [allocation("a1", 14, { created: 5 })]);
    await hinted();
    at.nomad.set(NAME, 16, [allocation("a1", 16, { created: 5 })]);
    at.hints.tell(16, hint("a1"));
    const all = await at.count(3);
    expect(all.map(({ data }) => (data.observed as { via: string }).via)).toEqual(["list", "list", "hint"]);
  });

  it("does not take a list for all that was written before hints came that was asked for before they did", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.holdLists();
    at.hints.gap("the event stream ended");
    await at.passUntil("a list is under way", () => at.nomad.heldLists === 1);
    at.nomad.set(NAME, 11, [allocation("a1", 11, { created: 5 })]);
    at.hints.live();
    at.nomad.releaseLists();
    await hinted();
    at.nomad.set(NAME, 13, [allocation("a1", 13, { created: 5 })]);
    at.hints.tell(13, hint("a1"));
    expect((await at.count(1))[0]).toMatchObject({ previous: "5", current: "11" });
    expect((await at.count(2))[1]).toMatchObject({ previous: "11", current: "13" });
  });

  it("asks the leader for the list that covers what no hint told", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted({ consistency: "stale" });
    const before = at.nomad.requests.length;
    at.hints.gap("the event stream ended");
    at.hints.live();
    await at.passUntil("it is read by hints again", () => at.nomad.requests.length > before);
    await hinted();
    const lists = at.nomad.requests.slice(before).filter(({ perPage }) => perPage === undefined);
    expect(new Set(lists.map(({ consistency }) => consistency))).toEqual(new Set(["default"]));
  });

  it("reads the list where an object cannot be read", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    await until("the doorbell waits", () => at.rings.length > 0);
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    at.nomad.failNext(new NomadError("NOMAD_UNREACHABLE", "reset", { retryable: true, hint: "wait" }));
    at.hints.tell(12, hint("a1"));
    await at.passUntil("it is told", () => at.loop.report().index === "12");
    await truth([allocation("a1", 12, { created: 5 })]);
  });

  it("is not turned back by a list that is older than what was read of an object", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5), allocation("b1", 6)]);
    await at.startHinted({ fullEveryMs: 20_000 });
    at.nomad.holdLists();
    await at.passUntil("a list is under way", () => at.nomad.heldLists === 1, 1_000);
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 }), allocation("b1", 6)]);
    at.hints.tell(12, hint("a1"));
    await at.count(1);
    at.nomad.releaseLists();
    await at.passUntil("the list is taken", () => at.nomad.heldLists === 0);
    at.nomad.set(NAME, 13, [allocation("a1", 12, { created: 5 }), allocation("b1", 13, { created: 6 })]);
    at.hints.tell(13, hint("b1"));
    expect((await at.count(2)).map(({ subject }) => subject)).toEqual([`${NAME}/a1`, `${NAME}/b1`]);
    await truth([allocation("a1", 12, { created: 5 }), allocation("b1", 13, { created: 6 })]);
  });

  it("waits less at the door where something ends it early, and tries longer after an hour", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const rings = async (count: number) => {
      await at.passUntil("the next ring", () => at.rings.length >= count);
      return at.nomad.requests.findLast(({ perPage, prefix }) => perPage === 1 && prefix === undefined)
        ?.waitMs;
    };
    const endEarly = async () => {
      const next = at.rings.length + 1;
      at.clock.pass(30_000);
      at.nomad.failNext(cutOff(30_000));
      return rings(next);
    };
    expect(await endEarly()).toBe(60_000);
    const shortMs = await endEarly();
    expect(shortMs).toBeLessThan(30_000);
    at.clock.pass(3_600_000);
    at.nomad.heldMs = 27_000;
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    at.hints.tell(12, hint("a1"));
    expect(await rings(at.rings.length + 1)).toBe(60_000);
    expect(await endEarly()).toBe(shortMs);
    at.nomad.set(NAME, 14, [allocation("a1", 14, { created: 5, ClientStatus: "failed" })]);
    at.hints.tell(14, hint("a1"));
    expect((await at.count(2)).map(({ type }) => type)).toEqual(Array(2).fill("nomad.allocation.updated"));
  });

  it("tells what hints lead to while a list is compared, and then what the list holds", async () => {
    const many = (rev: number) =>
      Array.from({ length: 40 }, (_, n) =>
        allocation(`c${10 + n}`, rev, { created: 6, ClientStatus: "x".repeat(60_000) }),
      );
    at.nomad.set(NAME, 10, [allocation("a1", 5), ...many(6)]);
    await at.startHinted();
    const [step, goOn] = [at.clock.yield.bind(at.clock), Promise.withResolvers<void>()];
    let isCompared = false;
    at.clock.yield = () => {
      isCompared = true;
      return goOn.promise.then(step);
    };
    at.nomad.set(NAME, 12, [allocation("a1", 5), ...many(12)]);
    await at.passUntil("the list is being compared", () => isCompared);
    const now = [allocation("a1", 14, { created: 5 }), ...many(12)];
    at.nomad.set(NAME, 14, now);
    at.hints.tell(14, hint("a1"));
    expect(await at.count(1)).toMatchObject([{ subject: `${NAME}/a1`, current: "14" }]);
    goOn.resolve();
    await at.passUntil("the list is taken", () => at.loop.report().index === "12");
    await at.count(41);
    expect(at.loop.report().reading).toBe("hinted");
    await truth(now);
  });

  it("is not turned back by a list that was given up, and comes all the same", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted({ fullEveryMs: 20_000 });
    at.nomad.holdLists();
    await at.passUntil("a list is under way", () => at.nomad.heldLists === 1, 1_000);
    at.hints.gap("the event stream broke");
    at.hints.live();
    at.nomad.set(NAME, 12, [allocation("a1", 5), allocation("b1", 12)]);
    await at.passUntil("another is asked for in its place", () => at.nomad.heldLists === 2);
    at.nomad.releaseLists();
    await at.count(1);
    await at.passUntil("hints are of use again", () => at.loop.report().reading === "hinted");
    at.nomad.set(NAME, 13, [allocation("a1", 5), allocation("b1", 13, { created: 12 })]);
    at.hints.tell(13, hint("b1"));
    expect((await at.count(2)).map(({ op, current }) => [op, current])).toEqual([
      ["create", "12"],
      ["update", "13"],
    ]);
  });

  it("finds a restore whose list is newer than the last list, but older than what was read since", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.set(NAME, 20, [allocation("a1", 5), allocation("b1", 20)]);
    at.hints.tell(20, hint("b1"));
    await at.count(1);
    at.hints.gap("the server was restarted");
    at.nomad.set(NAME, 15, [allocation("a1", 5)]);
    await at.passUntil("it is told", () => at.loop.report().index === "15");
    const types = (await at.events()).map(({ type }) => type);
    expect(types.filter((type) => type === "nomad.feed.resync")).toHaveLength(2);
  });

  it.each([false, true])(
    "finds such a restore also where it was while nobody looked (an older list came last: %s)",
    async (isListLast) => {
      at.nomad.set(NAME, 10, [allocation("a1", 5)]);
      await at.startHinted({ fullEveryMs: 20_000 });
      const list = [isListLast ? allocation("a1", 12, { created: 5 }) : allocation("a1", 5)];
      if (isListLast) {
        at.nomad.set(NAME, 12, list);
        at.nomad.holdLists();
        await at.passUntil("a list is under way", () => at.nomad.heldLists === 1);
      }
      at.hints.tell(20, { ...hint("b1"), payload: Buffer.from(JSON.stringify(allocation("b1", 20))) });
      await at.count(1);
      at.nomad.releaseLists();
      await at.passUntil("the list is taken", () => at.loop.report().index === (isListLast ? "12" : "10"));
      await at.count(isListLast ? 2 : 1);
      await at.stop();
      at.nomad.set(NAME, 15, list);
      at.start();
      await at.passUntil("it is told", () => at.loop.report().index === "15");
      const types = (await at.events()).map(({ type }) => type);
      expect(types.filter((type) => type === "nomad.feed.resync")).toHaveLength(2);
    },
  );

  it("finds such a restore also where only single objects were read at that index", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    const later = allocation("b1", 20);
    at.hints.tell(20, { ...hint("b1"), payload: Buffer.from(JSON.stringify(later)) });
    await at.count(1);
    at.nomad.set(NAME, 15, [allocation("a1", 5)]);
    at.hints.gap("the server was restarted");
    at.hints.live();
    await at.passUntil("it is told", () => at.loop.report().index === "15");
    expect((await at.verdict([allocation("a1", 5)])).lost).toEqual([]);
  });

  it("goes on after a restart with what it told last", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.set(NAME, 12, [allocation("a1", 12, { created: 5 })]);
    at.hints.tell(12, hint("a1"));
    await at.count(1);
    await at.stop();
    at.nomad.set(NAME, 14, [allocation("a1", 14, { created: 5 })]);
    at.start();
    await until("it is read", () => at.loop.report().index === "14");
    expect(await at.events()).toMatchObject([{ current: "12" }, { current: "14", previous: "12" }]);
    await truth([allocation("a1", 14, { created: 5 })]);
  });

  it("reads a small list whole by default, and a large one by hints", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    at.start({ reading: "auto" });
    await until("it is read", () => at.loop.report().index === "10");
    expect(at.hints.wanted).toEqual([]);
    const large = Array.from({ length: 600 }, (_, n) => allocation(`c${1000 + n}`, 12));
    at.nomad.set(NAME, 12, large);
    await until("it is read", () => at.loop.report().index === "12");
    at.nomad.set(NAME, 13, [...large, allocation("d1", 13)]);
    await hinted();
    expect(at.hints.wanted).toEqual([NAME]);
  });

  it("reads one that became small whole again, and not before it is much smaller than what made it large", async () => {
    const some = (count: number) => Array.from({ length: count }, (_, n) => allocation(`c${1000 + n}`, 10));
    at.nomad.set(NAME, 10, some(700));
    await at.startHinted({ reading: "auto" });
    at.nomad.set(NAME, 20, some(400));
    await at.passUntil("the shorter list is taken", () => at.loop.report().index === "20");
    expect(at.loop.report().reading).toBe("hinted");
    at.nomad.set(NAME, 30, some(100));
    await at.passUntil("the short list is taken", () => at.loop.report().index === "30");
    expect(at.loop.report().reading).toBe("lists");
    expect(at.hints.wanted).toEqual([]);
  });

  it("reads lists where the doorbell costs as much, and tries hints again after an hour", async () => {
    const some = (rev: number) => Array.from({ length: 700 }, (_, n) => allocation(`c${1000 + n}`, rev));
    const list = at.nomad.list.bind(at.nomad);
    let isOld = true;
    at.nomad.list = async ({ perPage, ...request }) => {
      const response = await list({ ...request, ...(perPage !== undefined && { perPage }) });
      return isOld && perPage === 1 ? { ...response, body: Buffer.from(JSON.stringify(some(20))) } : response;
    };
    at.nomad.set(NAME, 10, some(10));
    await at.startHinted({ reading: "auto" });
    at.nomad.set(NAME, 20, some(20));
    await at.passUntil("lists are read", () => at.loop.report().reading === "lists");
    expect(at.hints.wanted).toEqual([]);
    at.nomad.set(NAME, 30, some(30));
    await at.passUntil("the list is taken", () => at.loop.report().index === "30");
    expect(at.hints.wanted).toEqual([]);
    isOld = false;
    await at.clock.advance(3_600_000);
    at.nomad.set(NAME, 40, some(40));
    await at.passUntil("hints are followed", () => at.loop.report().reading === "hinted");
    at.nomad.set(NAME, 50, some(50));
    await at.passUntil("the list is taken", () => at.loop.report().index === "50");
    expect(at.loop.report().reading).toBe("hinted");
    await truth(some(50));
  });

  it("reads few objects at once, and the list in place of many", async () => {
    const all = (rev: number) =>
      Array.from({ length: 100 }, (_, n) => allocation(`c${100 + n}`, rev, { created: 6 }));
    at.nomad.set(NAME, 10, all(6));
    await at.startHinted();
    const list = at.nomad.list.bind(at.nomad);
    const answered = Promise.withResolvers<void>();
    let reads = 0;
    at.nomad.list = async (request) => {
      if (request.prefix !== undefined) {
        reads += 1;
        await answered.promise;
      }
      return list(request);
    };
    at.nomad.set(NAME, 12, all(12));
    at.hints.tell(12, ...all(12).map(({ ID }) => hint(ID)));
    const seen = await at.count(100);
    expect(new Set(seen.map(({ data }) => (data.observed as { via: string }).via))).toEqual(
      new Set(["list"]),
    );
    expect(reads).toBe(8);
    expect(await at.listsBy("doubt")).toBe(1);
    answered.resolve();
    await truth(all(12));
  });

  it("reads the list as often as it is told to, however long that takes", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted({ fullEveryMs: 20_000 });
    at.nomad.holdLists();
    await at.passUntil("a list is under way", () => at.nomad.heldLists === 1);
    await at.clock.advance(1_500);
    at.nomad.releaseLists();
    await at.passUntil("it is taken", () => at.nomad.heldLists === 0);
    const before = at.lists;
    for (let s = 0; s < 22; s++) await at.clock.advance(1_000);
    expect(at.lists - before).toBe(1);
  });

  it("leaves it to the list to tell of an object that changed and kept its index", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 5)]);
    await at.startHinted();
    at.nomad.set(NAME, 12, [allocation("a1", 5, { ClientStatus: "lost" })]);
    at.hints.tell(12, hint("a1"));
    const [event] = await at.count(1);
    expect(event?.data).toMatchObject({ observed: { via: "list", coalesced: "maybe" } });
    expect(await at.listsBy("doubt")).toBe(1);
  });

  it("leaves it to the list to say what an object is whose index went back", async () => {
    at.nomad.set(NAME, 10, [allocation("a1", 9, { created: 3 })]);
    await at.startHinted();
    at.nomad.set(NAME, 12, [allocation("a1", 4, { created: 3 })]);
    at.hints.tell(12, hint("a1"));
    await at.passUntil("the list is taken", () => at.loop.report().index === "12");
    expect(await at.listsBy("doubt")).toBe(1);
    expect((await at.events()).map(({ type }) => type)).toContain("nomad.feed.resync");
  });

  it("reads the list at once where the doorbell's index went back", async () => {
    at.nomad.set(NAME, 20, [allocation("a1", 5), allocation("b1", 18)]);
    await at.startHinted();
    const list = at.nomad.list.bind(at.nomad);
    // As where the wait is over.
    at.nomad.list = ({ index, ...request }) =>
      list(request.prefix === undefined || index === undefined ? request : { ...request, index });
    at.nomad.set(NAME, 21, [allocation("a1", 5), allocation("b1", 21, { created: 18 })]);
    at.hints.tell(21, hint("b1"));
    await at.count(1);
    at.nomad.set(NAME, 8, [allocation("a1", 5)]);
    await at.passUntil("it is told", () => at.loop.report().index === "8", 50);
    expect(await at.listsBy("doubt")).toBe(1);
  });
});

it("has the stream begun anew where something was written in all namespaces that no hint explains", async () => {
  await using at = await HintedScope.open({ resource: "allocations", namespace: "*" });
  at.nomad.set("allocations/*", 10, [allocation("a1", 5)]);
  await at.startHinted();
  at.nomad.set("allocations/*", 15, [allocation("a1", 5), allocation("b1", 15)]);
  await at.passUntil("the list is read", () => at.loop.report().index === "15");
  expect(at.hints.renewed).toBe(1);
});

it("reads a job again where the server that was asked lagged behind the event that may concern it", async () => {
  await using at = await HintedScope.open({ resource: "jobs", namespace: "default" });
  const web = (running: number, rev: number) => ({
    ID: "web",
    Namespace: "default",
    JobSummary: { Summary: { web: { Running: running } }, ModifyIndex: rev },
    CreateIndex: 5,
    ModifyIndex: 5,
  });
  at.nomad.set("jobs/default", 10, [web(1, 5)]);
  await at.startHinted();
  const list = at.nomad.list.bind(at.nomad);
  // The first read is answered with what there is, as after its wait.
  at.nomad.list = ({ index, ...request }) => {
    const isRead = request.prefix !== undefined;
    if (isRead) at.nomad.list = list;
    return list(isRead || index === undefined ? request : { ...request, index });
  };
  at.hints.tell(12, { resource: "jobs", namespace: "default", key: "web", cause: "Allocation" });
  await until("it is read", () => at.reads.length === 1);
  await at.clock.advance(0);
  at.nomad.set("jobs/default", 12, [web(2, 12)]);
  await at.passUntil("it is read again", () => at.reads.length === 2);
  expect(await at.count(1)).toMatchObject([{ type: "nomad.job.updated", current: "12" }]);
});

it("takes no restore that a scope of one namespace has told for another one when all are one scope again", async () => {
  const all: Scope = { resource: "allocations", namespace: "*" };
  const [before, after] = [allocation("a1", 500, { created: 5 }), allocation("a1", 290, { created: 5 })];
  await using at = await HintedScope.open(all);
  at.nomad.set("allocations/*", 10, [allocation("a1", 5)]);
  await at.startHinted();
  at.hints.tell(500, { ...hint("a1"), payload: Buffer.from(JSON.stringify(before)) });
  await at.count(1);
  await at.stop();
  const { fence, rev } = await at.log.claim(SCOPE, "of one namespace");
  const ref = { resource: "allocations", namespace: "default", key: "a1" } as const;
  await at.log.commit({
    scope: SCOPE,
    fence,
    expectedRev: rev,
    commitId: `${fence}.${rev}`,
    events: [],
    state: [{ ref, next: { rev: "290", stub: Buffer.from(JSON.stringify(after)) } }],
    checkpoint: { index: "300", nomadEpoch: 1, count: 1, observedAt: "2026-08-22T10:01:00.000Z" },
  });
  at.nomad.set("allocations/*", 310, [after]);
  at.start();
  await at.passUntil("it is read", () => at.loop.report().index === "310");
  expect((await at.events()).map(({ type }) => type)).toEqual(["nomad.allocation.updated"]);
});
