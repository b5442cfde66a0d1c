import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Appended, StateEntry } from "../../src/feed/log.ts";
import { draft, objectChange } from "../support/drafts.ts";
import {
  ALL_JOBS,
  ALLOCATIONS,
  job,
  JOBS,
  jobRef,
  NODES,
  objects,
  PROD,
  START_MS,
  type LogContext,
} from "./log-context.ts";

export function registerReads(t: LogContext): void {
  describe("filled", () => {
    test("names what objects there are of, whoever wrote them, and forgets what is empty again", async () => {
      expect(await t.log.filled()).toEqual([]);
      await t.poll(ALL_JOBS, "1", [jobRef("a"), jobRef("b"), jobRef("p", "prod")]);
      await t.poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n" }]);
      await t.log.claim(ALLOCATIONS, "me");
      expect(await t.log.filled()).toEqual([JOBS, PROD, NODES]);
      const claim = await t.log.claim(PROD, "me");
      await t.log.commit(t.chunk(claim, { state: [{ ref: jobRef("p", "prod"), next: null }] }));
      expect(await t.log.filled()).toEqual([JOBS, NODES]);
    });
  });

  describe("loadState", () => {
    test("gives a scope its objects and no others, whoever wrote them, in the order of their bytes", async () => {
      const mine = ["Z", "a", "a/b", "a b", "ä", "\u{ff5e}", "\u{1f422}"].map((key) => jobRef(key));
      await t.poll(ALL_JOBS, "1", [jobRef("p", "prod"), ...mine]);
      await t.poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n" }]);
      const ordered = mine.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
      expect((await objects(t.log.loadState(JOBS))).map((entry) => entry.ref)).toEqual(ordered);
      expect((await objects(t.log.loadState(ALL_JOBS))).map((entry) => entry.ref)).toEqual([
        ...ordered,
        jobRef("p", "prod"),
      ]);
    });

    test("gives thousands in batches", async () => {
      const refs = Array.from({ length: 2300 }, (_, n) =>
        jobRef(String(n).padStart(5, "0"), n % 2 ? "default" : "prod"),
      );
      const claim = await t.log.claim(ALL_JOBS, "me");
      await t.log.commit(t.chunk(claim, { state: refs.map((ref) => objectChange(ref, "1").state) }));
      const batches: StateEntry[][] = [];
      for await (const batch of t.log.loadState(ALL_JOBS)) batches.push(batch);
      expect(batches.length).toBeGreaterThan(1);
      expect(batches.flat()).toHaveLength(2300);
      expect(await objects(t.log.loadState(PROD))).toHaveLength(1150);
    });
  });

  describe("read", () => {
    test("gives what lies after the cursor, oldest first, up to the limit", async () => {
      await t.appendMany(10);
      const { epoch } = await t.log.head();
      const entries = await t.log.read({ epoch, sequence: 3 }, { limit: 4 });
      expect(entries.map((entry) => entry.sequence)).toEqual([4, 5, 6, 7]);
      expect(await t.log.read({ epoch, sequence: 10 }, { limit: 4 })).toEqual([]);
      expect(await t.log.read({ epoch, sequence: 3 }, { limit: 0 })).toEqual([]);
    });

    test("stops at about the bytes asked for, but gives at least one event", async () => {
      await t.append(...Array.from({ length: 10 }, () => draft({ bytes: 1000 })));
      expect(await t.log.read(await t.earliest(), { limit: 10, maxBytes: 1 })).toHaveLength(1);
      const some = await t.log.read(await t.earliest(), { limit: 10, maxBytes: 3500 });
      expect(some.length).toBeGreaterThanOrEqual(2);
      expect(some.length).toBeLessThanOrEqual(4);
    });

    test("refuses a cursor of another epoch, naming where the feed is", async () => {
      await t.appendMany(2);
      const { epoch } = await t.log.head();
      await expect(t.log.read({ epoch: "zzzzzz", sequence: 1 }, { limit: 1 })).rejects.toMatchObject({
        code: "EPOCH_CHANGED",
        head: { epoch, sequence: 2 },
      });
    });

    test("refuses a cursor beyond the newest event, naming it", async () => {
      await t.appendMany(2);
      const { epoch } = await t.log.head();
      await expect(t.log.read({ epoch, sequence: 3 }, { limit: 1 })).rejects.toMatchObject({
        code: "FUTURE_CURSOR",
        head: { epoch, sequence: 2 },
      });
    });

    test("refuses a cursor below the floor, naming the earliest", async () => {
      await t.appendMany(5);
      await t.log.trim({ maxEvents: 2 });
      const { epoch } = await t.log.head();
      await expect(t.log.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject({
        code: "CURSOR_EXPIRED",
        floor: { epoch, sequence: 3 },
      });
      expect((await t.log.read({ epoch, sequence: 3 }, { limit: 9 })).map((entry) => entry.sequence)).toEqual(
        [4, 5],
      );
    });
  });

  describe("waitBeyond", () => {
    test("answers at once where there is something to read", async () => {
      await t.appendMany(1);
      expect(await t.log.waitBeyond(0, { timeoutMs: 0 })).toBe(true);
    });

    test("answers when the event comes, to all who wait for it and nobody else", async () => {
      const waiting = [
        t.log.waitBeyond(0, { timeoutMs: 10_000 }),
        t.log.waitBeyond(0, { timeoutMs: 10_000 }),
      ];
      const stop = new AbortController();
      let early = false;
      const further = t.log
        .waitBeyond(1, { timeoutMs: 10_000, signal: stop.signal })
        .then((answer) => (early = answer));
      await t.appendMany(1);
      expect(await Promise.all(waiting)).toEqual([true, true]);
      await setImmediate();
      expect(early).toBe(false);
      stop.abort();
      expect(await further).toBe(false);
    });

    test("answers false after the timeout, on abort, and when the log closes", async () => {
      expect(await t.log.waitBeyond(0, { timeoutMs: 1 })).toBe(false);
      expect(await t.log.waitBeyond(0, { timeoutMs: 10_000, signal: AbortSignal.abort() })).toBe(false);
      const stop = new AbortController();
      const stopped = t.log.waitBeyond(0, { timeoutMs: 10_000, signal: stop.signal });
      await setImmediate();
      stop.abort();
      expect(await stopped).toBe(false);
      const closed = t.log.waitBeyond(0, { timeoutMs: 10_000 });
      await setImmediate();
      await t.log[Symbol.asyncDispose]();
      expect(await closed).toBe(false);
    });

    test("hands over what is committed right behind, as it is read, or lets it be read", async () => {
      await t.append(job("a"));
      const handed: Appended[] = [];
      const take = (appended: Appended) => handed.push(appended) > 0;
      const stop = new AbortController();
      const waiting = t.log.waitBeyond(1, { timeoutMs: 10_000, signal: stop.signal, take });
      const further = t.log.waitBeyond(2, { timeoutMs: 10_000, take: (appended) => take(appended) });
      await setImmediate();
      const claim = await t.log.claim(JOBS, "me");
      const { rev } = await t.log.commit(t.chunk(claim, { events: [job("b"), draft({ after: "é\u2028" })] }));
      await t.log.commit(t.chunk({ ...claim, rev }, { events: [draft({ overflow: "{}", signals: ["x"] })] }));
      const isRead = handed.length === 0;
      if (!isRead) stop.abort();
      expect(await waiting).toBe(isRead);
      expect(await further).toBe(true);
      const written = (await t.readAll()).slice(1);
      expect(handed.flatMap(({ entries }) => entries)).toEqual(isRead ? [] : written);
      expect(handed.map(({ after }) => after.sequence)).toEqual(isRead ? [] : [1, 3]);
      const { epoch } = await t.log.head();
      for (const { after, entries, sizes } of handed) {
        expect(after.epoch).toBe(epoch);
        expect(sizes).toEqual(entries.map(({ json }) => Buffer.byteLength(json)));
      }
    });

    test("answers where what is committed is not taken, or cannot be, and the commit is none the worse", async () => {
      await t.append(job("a"));
      const refuse = () => false;
      const fail = () => {
        throw new Error("cannot take it");
      };
      const waiting = [refuse, fail].map((take) => t.log.waitBeyond(1, { timeoutMs: 10_000, take }));
      await setImmediate();
      expect(await t.append(job("b"))).toMatchObject({ status: "committed", first: 2 });
      expect(await Promise.all(waiting)).toEqual([true, true]);
    });

    test("answers a reader in another process", async () => {
      const reader = await t.under.reader();
      const waiting = reader.waitBeyond(0, { timeoutMs: 10_000 });
      await t.appendMany(1);
      expect(await waiting).toBe(true);
      expect(await t.readAll(reader)).toHaveLength(1);
      await reader[Symbol.asyncDispose]();
    });
  });

  describe("cursorAt", () => {
    test("is the last event recorded before the time", async () => {
      await t.appendMany(2);
      t.nowMs += 1000;
      await t.appendMany(3);
      const at = async (timeMs: number) => (await t.log.cursorAt(timeMs)).sequence;
      expect(await t.log.cursorAt(START_MS)).toEqual({ epoch: (await t.log.head()).epoch, sequence: 0 });
      expect(await at(START_MS + 1)).toBe(2);
      expect(await at(START_MS + 1000)).toBe(2);
      expect(await at(START_MS + 1001)).toBe(5);
      expect(await at(0)).toBe(0);
      await t.log.trim({ maxEvents: 1 });
      expect(await at(0)).toBe(4);
    });

    test("stays in order when the clock is set back", async () => {
      await t.appendMany(2);
      t.nowMs -= 3_600_000;
      await t.appendMany(2);
      t.nowMs += 3_601_000;
      await t.appendMany(1);
      expect((await t.log.cursorAt(START_MS + 1)).sequence).toBe(4);
      expect((await t.log.cursorAt(START_MS)).sequence).toBe(0);
    });
  });

  describe("consistentRead", () => {
    test("shows the objects and the cursor of one moment while commits go on", async () => {
      const refs = Array.from({ length: 1200 }, (_, n) => jobRef(String(n).padStart(5, "0")));
      await t.poll(JOBS, "1", refs);
      await using read = await t.log.consistentRead();
      expect(read.cursor).toEqual({ epoch: (await t.log.head()).epoch, sequence: 1200 });
      const seen: StateEntry[] = [];
      for await (const batch of read.entries()) {
        if (seen.length === 0) await t.poll(JOBS, "2", [jobRef("zzz"), jobRef("01199")]);
        seen.push(...batch);
      }
      expect(seen.map((entry) => entry.ref)).toEqual(refs);
      expect(new Set(seen.map((entry) => entry.rev))).toEqual(new Set(["1"]));
      expect(await objects(t.log.loadState(JOBS))).toHaveLength(1201);
    });

    test.each([
      [{}, ["allocations/default/a1", "jobs/default/web", "jobs/prod/db", "jobs/prod/web", "nodes/-/n1"]],
      [{ resource: "jobs" }, ["jobs/default/web", "jobs/prod/db", "jobs/prod/web"]],
      [{ namespace: "default" }, ["allocations/default/a1", "jobs/default/web"]],
      [{ resource: "jobs", namespace: "prod" }, ["jobs/prod/db", "jobs/prod/web"]],
      [{ key: "web" }, ["jobs/default/web", "jobs/prod/web"]],
      [{ resource: "jobs", namespace: "prod", key: "web" }, ["jobs/prod/web"]],
      [{ resource: "jobs", key: "none" }, []],
    ] as const)("filters by %j", async (filter, expected) => {
      await t.poll(ALL_JOBS, "1", [jobRef("web"), jobRef("web", "prod"), jobRef("db", "prod")]);
      await t.poll(ALLOCATIONS, "1", [{ resource: "allocations", namespace: "default", key: "a1" }]);
      await t.poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n1" }]);
      await using read = await t.log.consistentRead();
      const found = (await objects(read.entries(filter))).map(
        ({ ref }) => `${ref.resource}/${ref.namespace}/${ref.key}`,
      );
      expect(found.toSorted()).toEqual(expected);
    });

    test("can be made by many at once and read again", async () => {
      await t.poll(JOBS, "1", [jobRef("web")]);
      const reads = await Promise.all(Array.from({ length: 5 }, () => t.log.consistentRead()));
      for (const read of reads) {
        expect(await objects(read.entries())).toHaveLength(1);
        expect(await objects(read.entries())).toHaveLength(1);
        await read[Symbol.asyncDispose]();
      }
    });
  });
}
