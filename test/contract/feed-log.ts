import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  NO_NOTES,
  type Checkpoint,
  type Claim,
  type Commit,
  type FeedLog,
  type Parked,
  type ScopeNotes,
  type StateEntry,
} from "../../src/feed/log.ts";
import { formatCursor, type Cursor } from "../../src/schemas/cursor.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import type { ObjectRef, ResourceType } from "../../src/schemas/resources.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { draft, objectChange } from "../support/drafts.ts";

/** A new, empty log, and what the suite must be able to do to it besides using it. */
interface LogUnderTest {
  readonly log: FeedLog;
  /** Closes the log and opens it again: what a restart sees. The suite closes what it gets. */
  reopen(): Promise<FeedLog>;
  /** A second way to the same log, for reading, as another process has it. */
  reader(): Promise<FeedLog>;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** `clock` answers ms since 1970; the log dates what it records by it. `maxDeadLetters`: that a consumer may have. */
export type OpenLog = (options: { clock: () => number; maxDeadLetters?: number }) => Promise<LogUnderTest>;

const JOBS: Scope = { resource: "jobs", namespace: "default" };
const PROD: Scope = { resource: "jobs", namespace: "prod" };
const ALL_JOBS: Scope = { resource: "jobs", namespace: "*" };
const ALLOCATIONS: Scope = { resource: "allocations", namespace: "*" };
const NODES: Scope = { resource: "nodes", namespace: "-" };
const MAX_DEAD_LETTERS = 50;
const START_MS = Date.UTC(2026, 7, 22, 10);

export function feedLogContract(name: string, open: OpenLog): void {
  describe(`${name} as a feed log`, () => {
    let under: LogUnderTest;
    let log: FeedLog;
    let nowMs = START_MS;
    let commits = 0;

    beforeEach(async () => {
      nowMs = START_MS;
      under = await open({ clock: () => nowMs, maxDeadLetters: MAX_DEAD_LETTERS });
      log = under.log;
    });
    afterEach(() => under.dispose());

    const chunk = (claim: Claim, part: Partial<Commit> = {}): Commit => ({
      scope: claim.scope,
      fence: claim.fence,
      expectedRev: claim.rev,
      commitId: `commit-${(commits += 1)}`,
      events: [],
      state: [],
      ...part,
    });
    /** Commits events under a new claim. */
    const append = async (...events: EventDraft[]) =>
      log.commit(chunk(await log.claim(JOBS, "me"), { events }));
    const appendMany = (count: number) => append(...Array.from({ length: count }, (_, n) => job(`job-${n}`)));
    const checkpoint = (index: string, part: Partial<Checkpoint> = {}): Checkpoint => ({
      index,
      nomadEpoch: 0,
      count: 0,
      observedAt: "2026-08-22T10:00:00Z",
      ...part,
    });
    /** Polls a scope once: claim, write objects, checkpoint. */
    const poll = async (
      scope: Scope,
      index: string,
      refs: ObjectRef[] = [],
      part: Partial<Checkpoint> = {},
    ) => {
      const changes = refs.map((ref) => objectChange(ref, index));
      await log.commit(
        chunk(await log.claim(scope, "me"), {
          events: changes.map((change) => change.event),
          state: changes.map((change) => change.state),
          checkpoint: checkpoint(index, { count: refs.length, ...part }),
        }),
      );
    };
    const earliest = async () => {
      const { epoch, floor } = await log.head();
      return { epoch, sequence: floor };
    };
    const readAll = async (from: FeedLog = log) => {
      const { epoch, floor } = await from.head();
      return from.read({ epoch, sequence: floor }, { limit: 10_000 });
    };

    describe("a new log", () => {
      test("is empty and has an epoch", async () => {
        const head = await log.head();
        expect(head).toEqual({
          epoch: expect.stringMatching(/^[a-z0-9]{6}$/),
          sequence: 0,
          floor: 0,
          nomadEpoch: 0,
        });
        expect(await readAll()).toEqual([]);
        expect(await log.scopes()).toEqual([]);
        expect(await log.consumers.list()).toEqual([]);
      });

      test("keeps its epoch, events, state, scopes and consumers over a restart", async () => {
        await poll(JOBS, "10", [jobRef("web")]);
        await log.consumers.put("audit", await earliest());
        const before = await everything(log);
        log = await under.reopen();
        expect(await everything(log)).toEqual(before);
      });
    });

    describe("commit", () => {
      test("numbers events without a gap, across commits and scopes", async () => {
        const first = await append(job("a"), job("b"));
        const nodes = await log.claim(NODES, "me");
        const second = await log.commit(
          chunk(nodes, { events: [draft({ resource: "nodes", namespace: "-" })] }),
        );
        expect(first).toEqual({ status: "committed", first: 1, last: 2, rev: 1 });
        expect(second).toEqual({ status: "committed", first: 3, last: 3, rev: 1 });
        expect((await log.head()).sequence).toBe(3);
      });

      test("gives back each event as it was drafted, with its place in it", async () => {
        const event = draft({
          job: "web",
          node: "n1",
          signals: ["allocation.failed", "task.oom_killed"],
          severity: "ERROR",
          after: { Name: 'żółw 🐢 \u0000 "quoted"' },
        });
        await append(event);
        const [entry] = await readAll();
        const { head: _head, tail: _tail, overflow: _overflow, ...facts } = event;
        expect(entry).toEqual({ ...facts, sequence: 1, json: expect.any(String) });
        const { epoch } = await log.head();
        expect(JSON.parse(entry?.json ?? "")).toMatchObject({
          specversion: "1.0",
          sequence: "0000000000000001",
          cursor: `${epoch}-1`,
          data: { after: { Name: 'żółw 🐢 \u0000 "quoted"' } },
        });
      });

      test("takes control events, which speak of no object", async () => {
        await append(draft({ resource: null, namespace: null, key: null, op: null, aspect: null }));
        expect(await readAll()).toMatchObject([
          { resource: null, namespace: null, key: null, op: null, aspect: null },
        ]);
      });

      test("writes, replaces and removes state, byte for byte", async () => {
        const bytes = Buffer.from('{ "b":1.0, "a":1795434687866379238,\n"é":"\\u0000" }');
        const ref = jobRef("web");
        const claim = await log.claim(JOBS, "me");
        await log.commit(chunk(claim, { state: [{ ref, next: { rev: "7", stub: bytes } }] }));
        expect(await objects(log.loadState(JOBS))).toEqual([{ ref, rev: "7", stub: bytes }]);
        const next = { rev: "8", stub: Buffer.from("{}") };
        await log.commit(chunk({ ...claim, rev: 1 }, { state: [{ ref, next }] }));
        expect(await objects(log.loadState(JOBS))).toEqual([{ ref, ...next }]);
        await log.commit(
          chunk(
            { ...claim, rev: 2 },
            {
              state: [
                { ref, next: null },
                { ref: jobRef("none"), next: null },
              ],
            },
          ),
        );
        expect(await objects(log.loadState(JOBS))).toEqual([]);
      });

      test("without events moves only the scope", async () => {
        const claim = await log.claim(JOBS, "me");
        const committed = await log.commit(chunk(claim, { checkpoint: checkpoint("12") }));
        expect(committed).toEqual({ status: "committed", first: 0, last: 0, rev: 1 });
        expect(await log.claim(JOBS, "me")).toMatchObject({
          rev: 1,
          baselined: true,
          checkpoint: checkpoint("12"),
        });
      });

      test("answers a repetition with the range it had, and writes nothing", async () => {
        await append(job("before"));
        const claim = await log.claim(JOBS, "me");
        const commit = chunk(claim, { events: [job("a"), job("b")] });
        await log.commit(commit);
        const before = await everything(log);
        expect(await log.commit(commit)).toEqual({ status: "duplicate", first: 2, last: 3, rev: 2 });
        expect(await everything(log)).toEqual(before);
        log = await under.reopen();
        expect(await log.commit(commit)).toEqual({ status: "duplicate", first: 2, last: 3, rev: 2 });
      });

      test("answers the repetition of a commit without events", async () => {
        const commit = chunk(await log.claim(JOBS, "me"), { checkpoint: checkpoint("3") });
        await log.commit(commit);
        expect(await log.commit(commit)).toEqual({ status: "duplicate", first: 0, last: 0, rev: 1 });
      });

      test("refuses a rev that is not the scope's, and writes nothing", async () => {
        const claim = await log.claim(JOBS, "me");
        const early = chunk(claim, { events: [job("a")] });
        await log.commit(early);
        await log.commit(chunk({ ...claim, rev: 1 }, { events: [job("b")] }));
        const before = await everything(log);
        const wrong = [
          early,
          chunk(claim, { events: [job("c")] }),
          chunk({ ...claim, rev: 9 }, { events: [job("d")] }),
        ];
        for (const commit of wrong) {
          await expect(log.commit(commit)).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
        }
        expect(await everything(log)).toEqual(before);
      });

      test("refuses an old fence, also for a repetition, and writes nothing", async () => {
        const old = await log.claim(JOBS, "old");
        const done = chunk(old, { events: [job("a")] });
        await log.commit(done);
        const young = await log.claim(JOBS, "young");
        expect(young.fence).toBeGreaterThan(old.fence);
        const before = await everything(log);
        for (const commit of [
          done,
          chunk({ ...old, rev: 1 }, { events: [job("b")], state: [], checkpoint: checkpoint("9") }),
        ]) {
          await expect(log.commit(commit)).rejects.toMatchObject({ code: "FENCED", retryable: false });
        }
        expect(await everything(log)).toEqual(before);
        expect(await log.commit(chunk(young, { events: [job("c")] }))).toMatchObject({ first: 2, rev: 2 });
      });

      test("refuses a scope nobody claimed", async () => {
        await expect(
          log.commit(chunk({ ...(await log.claim(JOBS, "me")), scope: PROD })),
        ).rejects.toMatchObject({
          code: "FENCED",
        });
      });

      test("lets the checkpoint raise the feed's Nomad epoch, never lower it", async () => {
        await poll(JOBS, "10", [], { nomadEpoch: 2 });
        await poll(NODES, "10", [], { nomadEpoch: 1 });
        expect((await log.head()).nomadEpoch).toBe(2);
      });

      test("keeps the data the size cap cut", async () => {
        await append(draft({ overflow: '{"whole":true}' }), draft());
        expect(await log.overflow(1)).toBe('{"whole":true}');
        expect(await log.overflow(2)).toBeUndefined();
        expect(await log.overflow(99)).toBeUndefined();
        const { epoch } = await log.head();
        expect(JSON.parse((await readAll())[0]?.json ?? "")).toMatchObject({
          dataref: `data/${epoch}-1`,
        });
      });

      test("takes the largest chunk", async () => {
        await append(...Array.from({ length: 500 }, (_, n) => draft({ key: `k${n}`, bytes: 1000 })));
        expect((await readAll()).map((entry) => entry.key)).toEqual(
          Array.from({ length: 500 }, (_, n) => `k${n}`),
        );
      });
    });

    describe("claim", () => {
      test("tells a new scope that it was never read", async () => {
        const claim = await log.claim(JOBS, "me");
        expect(claim).toEqual({
          scope: JOBS,
          fence: expect.any(Number),
          rev: 0,
          baselined: false,
          checkpoint: null,
          borrowed: false,
          notes: NO_NOTES,
        });
      });

      test("hands over what the owner before had to remember, and the Nomad epoch it had begun", async () => {
        const notes: ScopeNotes = {
          resync: { reason: "index went back", nomadEpoch: 3 },
          hiddenNamespaces: ["qa"],
          trouble: "stale",
        };
        const claim = await log.claim(JOBS, "me");
        await log.commit(chunk(claim, { notes }));
        await log.commit(chunk({ ...claim, rev: 1 }, { checkpoint: checkpoint("9") }));
        expect(await log.claim(JOBS, "next")).toMatchObject({ notes });
        expect(await log.head()).toMatchObject({ nomadEpoch: 3 });
        expect(await log.claim(PROD, "me")).toMatchObject({ notes: NO_NOTES });
      });

      test("hands over rev and checkpoint", async () => {
        await poll(JOBS, "41", [jobRef("web")]);
        expect(await log.claim(JOBS, "next")).toMatchObject({
          rev: 1,
          baselined: true,
          checkpoint: { index: "41", count: 1 },
        });
      });

      test("does not take a poll for read that was not committed whole", async () => {
        const claim = await log.claim(JOBS, "me");
        await log.commit(chunk(claim, { state: [objectChange(jobRef("web"), "1").state] }));
        expect(await log.claim(JOBS, "next")).toMatchObject({ rev: 1, baselined: false, checkpoint: null });
      });

      test.each([
        ["a namespace", JOBS, "*", ALL_JOBS],
        ["*", ALL_JOBS, "a namespace", JOBS],
      ])("of %s fences %s off, wherever they overlap", async (_a, later, _b, earlier) => {
        const lost = await log.claim(earlier, "old");
        const bystanders = [await log.claim(NODES, "me"), await log.claim(ALLOCATIONS, "me")];
        await log.claim(later, "new");
        await expect(log.commit(chunk(lost, { events: [job("a")] }))).rejects.toMatchObject({
          code: "FENCED",
        });
        for (const claim of bystanders)
          expect(await log.commit(chunk(claim))).toMatchObject({ status: "committed" });
      });

      test("of two namespaces can be held at once", async () => {
        const claims = [await log.claim(JOBS, "me"), await log.claim(PROD, "you")];
        for (const claim of claims)
          expect(await log.commit(chunk(claim))).toMatchObject({ status: "committed" });
      });

      test("of a namespace goes on from what * has read", async () => {
        await poll(ALL_JOBS, "50", [jobRef("a"), jobRef("b"), jobRef("c", "prod")]);
        const claim = await log.claim(JOBS, "me");
        expect(claim).toMatchObject({ rev: 0, baselined: true, checkpoint: { index: "50", count: 2 } });
      });

      test("of * goes on from the namespace that is furthest behind", async () => {
        await poll(JOBS, "9", [jobRef("a")]);
        await poll(PROD, "10", [jobRef("c", "prod")]);
        expect(await log.claim(ALL_JOBS, "me")).toMatchObject({
          baselined: true,
          checkpoint: { index: "9", count: 2 },
        });
      });

      test("goes on from the later poll where both the scope and * were polled", async () => {
        await poll(JOBS, "10", [jobRef("a")]);
        await poll(ALL_JOBS, "20", [jobRef("a")]);
        expect(await log.claim(JOBS, "me")).toMatchObject({ checkpoint: { index: "20" } });
        await poll(JOBS, "30");
        expect(await log.claim(JOBS, "me")).toMatchObject({ checkpoint: { index: "30" } });
        expect(await log.claim(ALL_JOBS, "me")).toMatchObject({ checkpoint: { index: "20" } });
      });

      test("does not spread what was inherited but never read", async () => {
        await poll(JOBS, "10", [jobRef("a")]);
        await log.claim(ALL_JOBS, "me");
        expect(await log.claim(PROD, "me")).toMatchObject({ baselined: false, checkpoint: null });
      });

      test("of a scope that was born empty needs no baseline", async () => {
        const born: Scope = { resource: "jobs", namespace: "new" };
        await log.commit(chunk(await log.claim(NODES, "me"), { knownEmptyScopes: [born] }));
        expect(await log.claim(born, "me")).toMatchObject({ rev: 0, baselined: true, checkpoint: null });
        expect(await log.claim(ALL_JOBS, "me")).toMatchObject({ baselined: false });
      });

      test("is not changed by being known as empty where the scope is known", async () => {
        await log.claim(JOBS, "me");
        await poll(PROD, "10");
        await log.commit(chunk(await log.claim(NODES, "me"), { knownEmptyScopes: [JOBS, PROD] }));
        expect(await log.claim(JOBS, "me")).toMatchObject({ baselined: false });
        expect(await log.claim(PROD, "me")).toMatchObject({ baselined: true, checkpoint: { index: "10" } });
      });

      test("of a scope that begins empty needs no baseline, unless the scope is known", async () => {
        const born: Scope = { resource: "jobs", namespace: "new" };
        await log.claim(JOBS, "me");
        await poll(PROD, "10");
        await log.beginEmpty([born, JOBS, PROD]);
        expect(await log.claim(born, "me")).toMatchObject({ rev: 0, baselined: true, checkpoint: null });
        expect(await log.claim(JOBS, "me")).toMatchObject({ baselined: false });
        expect(await log.claim(PROD, "me")).toMatchObject({ baselined: true, checkpoint: { index: "10" } });
      });

      test("is listed with its owner", async () => {
        const claim = await log.claim(JOBS, "worker-1");
        await log.commit(chunk(claim, { checkpoint: checkpoint("4") }));
        expect(await log.scopes()).toEqual([
          {
            scope: JOBS,
            fence: claim.fence,
            owner: "worker-1",
            rev: 1,
            baselined: true,
            checkpoint: checkpoint("4"),
            notes: NO_NOTES,
          },
        ]);
      });

      test("is listed with what its owner has to remember", async () => {
        const notes: ScopeNotes = { ...NO_NOTES, trouble: "stale", covered: true };
        await log.commit(chunk(await log.claim(JOBS, "me"), { notes }));
        expect(await log.scopes()).toMatchObject([{ scope: JOBS, notes }]);
      });
    });

    describe("an outage", () => {
      const told = (what: string) => draft({ resource: null, op: null, id: `0/feed/scope.${what}@1` });
      const begins = { from: null, to: "one", event: told("stale") };
      const ends = { from: "one", to: null, event: told("recovered") };

      test("is told of in the sequence, and lasts until it is called over, also over a restart", async () => {
        expect(await log.outage()).toBeNull();
        await append(job("a"));
        expect(await log.tellOutage(begins)).toBe(2);
        const again = await under.reopen();
        expect(await again.outage()).toBe("one");
        expect(await (await under.reader()).outage()).toBe("one");
        expect(await again.tellOutage(ends)).toBe(3);
        expect(await again.outage()).toBeNull();
        expect((await readAll(again)).map(({ id }) => id)).toEqual([
          job("a").id,
          "0/feed/scope.stale@1",
          "0/feed/scope.recovered@1",
        ]);
      });

      test("is told of once, whoever wants to", async () => {
        const other = { from: null, to: "two", event: told("stale") };
        const sequences = await Promise.all([log.tellOutage(begins), log.tellOutage(other)]);
        expect(sequences.toSorted()).toEqual([1, undefined]);
        const outage = await log.outage();
        expect(await log.tellOutage({ ...ends, from: "another" })).toBeUndefined();
        expect(await log.outage()).toBe(outage);
        expect(await readAll()).toHaveLength(1);
      });

      test("takes its place among the commits of a claim, wakes who waits, and is counted", async () => {
        const claim = await log.claim(JOBS, "me");
        await log.commit(chunk(claim, { events: [job("a")] }));
        const before = await log.bytes();
        const waiting = log.waitBeyond(1, { timeoutMs: 30_000 });
        await log.tellOutage(begins);
        expect(await waiting).toBe(true);
        expect(await log.bytes()).toBeGreaterThan(before);
        expect(await log.commit(chunk({ ...claim, rev: 1 }, { events: [job("b"), job("c")] }))).toMatchObject(
          { first: 3, last: 4 },
        );
      });
    });

    describe("filled", () => {
      test("names what objects there are of, whoever wrote them, and forgets what is empty again", async () => {
        expect(await log.filled()).toEqual([]);
        await poll(ALL_JOBS, "1", [jobRef("a"), jobRef("b"), jobRef("p", "prod")]);
        await poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n" }]);
        await log.claim(ALLOCATIONS, "me");
        expect(await log.filled()).toEqual([JOBS, PROD, NODES]);
        const claim = await log.claim(PROD, "me");
        await log.commit(chunk(claim, { state: [{ ref: jobRef("p", "prod"), next: null }] }));
        expect(await log.filled()).toEqual([JOBS, NODES]);
      });
    });

    describe("loadState", () => {
      test("gives a scope its objects and no others, whoever wrote them, in the order of their bytes", async () => {
        const mine = ["Z", "a", "a/b", "a b", "ä", "\u{ff5e}", "\u{1f422}"].map((key) => jobRef(key));
        await poll(ALL_JOBS, "1", [jobRef("p", "prod"), ...mine]);
        await poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n" }]);
        const ordered = mine.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
        expect((await objects(log.loadState(JOBS))).map((entry) => entry.ref)).toEqual(ordered);
        expect((await objects(log.loadState(ALL_JOBS))).map((entry) => entry.ref)).toEqual([
          ...ordered,
          jobRef("p", "prod"),
        ]);
      });

      test("gives thousands in batches", async () => {
        const refs = Array.from({ length: 2300 }, (_, n) =>
          jobRef(String(n).padStart(5, "0"), n % 2 ? "default" : "prod"),
        );
        const claim = await log.claim(ALL_JOBS, "me");
        await log.commit(chunk(claim, { state: refs.map((ref) => objectChange(ref, "1").state) }));
        const batches: StateEntry[][] = [];
        for await (const batch of log.loadState(ALL_JOBS)) batches.push(batch);
        expect(batches.length).toBeGreaterThan(1);
        expect(batches.flat()).toHaveLength(2300);
        expect(await objects(log.loadState(PROD))).toHaveLength(1150);
      });
    });

    describe("read", () => {
      test("gives what lies after the cursor, oldest first, up to the limit", async () => {
        await appendMany(10);
        const { epoch } = await log.head();
        const entries = await log.read({ epoch, sequence: 3 }, { limit: 4 });
        expect(entries.map((entry) => entry.sequence)).toEqual([4, 5, 6, 7]);
        expect(await log.read({ epoch, sequence: 10 }, { limit: 4 })).toEqual([]);
        expect(await log.read({ epoch, sequence: 3 }, { limit: 0 })).toEqual([]);
      });

      test("stops at about the bytes asked for, but gives at least one event", async () => {
        await append(...Array.from({ length: 10 }, () => draft({ bytes: 1000 })));
        expect(await log.read(await earliest(), { limit: 10, maxBytes: 1 })).toHaveLength(1);
        const some = await log.read(await earliest(), { limit: 10, maxBytes: 3500 });
        expect(some.length).toBeGreaterThanOrEqual(2);
        expect(some.length).toBeLessThanOrEqual(4);
      });

      test("refuses a cursor of another epoch, naming where the feed is", async () => {
        await appendMany(2);
        const { epoch } = await log.head();
        await expect(log.read({ epoch: "zzzzzz", sequence: 1 }, { limit: 1 })).rejects.toMatchObject({
          code: "EPOCH_CHANGED",
          head: { epoch, sequence: 2 },
        });
      });

      test("refuses a cursor beyond the newest event, naming it", async () => {
        await appendMany(2);
        const { epoch } = await log.head();
        await expect(log.read({ epoch, sequence: 3 }, { limit: 1 })).rejects.toMatchObject({
          code: "FUTURE_CURSOR",
          head: { epoch, sequence: 2 },
        });
      });

      test("refuses a cursor below the floor, naming the earliest", async () => {
        await appendMany(5);
        await log.trim({ maxEvents: 2 });
        const { epoch } = await log.head();
        await expect(log.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject({
          code: "CURSOR_EXPIRED",
          floor: { epoch, sequence: 3 },
        });
        expect((await log.read({ epoch, sequence: 3 }, { limit: 9 })).map((entry) => entry.sequence)).toEqual(
          [4, 5],
        );
      });
    });

    describe("waitBeyond", () => {
      test("answers at once where there is something to read", async () => {
        await appendMany(1);
        expect(await log.waitBeyond(0, { timeoutMs: 0 })).toBe(true);
      });

      test("answers when the event comes, to all who wait for it and nobody else", async () => {
        const waiting = [log.waitBeyond(0, { timeoutMs: 10_000 }), log.waitBeyond(0, { timeoutMs: 10_000 })];
        const stop = new AbortController();
        let early = false;
        const further = log
          .waitBeyond(1, { timeoutMs: 10_000, signal: stop.signal })
          .then((answer) => (early = answer));
        await appendMany(1);
        expect(await Promise.all(waiting)).toEqual([true, true]);
        await setImmediate();
        expect(early).toBe(false);
        stop.abort();
        expect(await further).toBe(false);
      });

      test("answers false after the timeout, on abort, and when the log closes", async () => {
        expect(await log.waitBeyond(0, { timeoutMs: 1 })).toBe(false);
        expect(await log.waitBeyond(0, { timeoutMs: 10_000, signal: AbortSignal.abort() })).toBe(false);
        const stop = new AbortController();
        const stopped = log.waitBeyond(0, { timeoutMs: 10_000, signal: stop.signal });
        await setImmediate();
        stop.abort();
        expect(await stopped).toBe(false);
        const closed = log.waitBeyond(0, { timeoutMs: 10_000 });
        await setImmediate();
        await log[Symbol.asyncDispose]();
        expect(await closed).toBe(false);
      });

      test("answers a reader in another process", async () => {
        const reader = await under.reader();
        const waiting = reader.waitBeyond(0, { timeoutMs: 10_000 });
        await appendMany(1);
        expect(await waiting).toBe(true);
        expect(await readAll(reader)).toHaveLength(1);
        await reader[Symbol.asyncDispose]();
      });
    });

    describe("history", () => {
      const sequences = async (query: Partial<Parameters<FeedLog["history"]>[0]>) =>
        (await log.history({ order: "oldest-first", limit: 100, ...query })).map((entry) => entry.sequence);

      beforeEach(async () => {
        await append(
          job("web"),
          draft({ key: "a1", job: "web", node: "n1", signals: ["allocation.failed"], severity: "ERROR" }),
          draft({ key: "a2", job: "db", node: "n1", namespace: "prod", op: "delete" }),
        );
        nowMs += 60_000;
        await append(
          draft({
            resource: "nodes",
            namespace: "-",
            key: "n1",
            node: "n1",
            signals: ["node.down"],
            severity: "WARN",
          }),
          draft({
            key: "a1",
            job: "web",
            node: "n2",
            signals: ["allocation.failed", "task.restarted"],
            severity: "FATAL",
          }),
          draft({ resource: null, namespace: null, key: null, op: null, aspect: null, severity: "DEBUG" }),
        );
      });

      test.each([
        [{}, [1, 2, 3, 4, 5, 6]],
        [{ key: "a1" }, [2, 5]],
        [{ resource: "nodes", key: "n1" }, [4]],
        [{ resource: "jobs", key: "n1" }, []],
        [{ resource: "allocations" }, [2, 3, 5]],
        [{ namespace: "prod" }, [3]],
        [{ namespace: "default", resource: "allocations" }, [2, 5]],
        [{ job: "web" }, [1, 2, 5]],
        [{ job: "web", namespace: "prod" }, []],
        [{ node: "n1" }, [2, 3, 4]],
        [{ node: "n1", resource: "allocations", op: "delete" }, [3]],
        [{ op: "delete" }, [3]],
        [{ signal: "allocation.failed" }, [2, 5]],
        [{ signal: "task.restarted" }, [5]],
        [{ signal: "allocation.failed", node: "n1" }, [2]],
        [{ signal: "node.down", key: "n1" }, [4]],
        [{ signal: "node.down", key: "a1" }, []],
        [{ minSeverity: "WARN" }, [2, 4, 5]],
        [{ minSeverity: "ERROR" }, [2, 5]],
        [{ minSeverity: "FATAL", job: "web" }, [5]],
        [{ minSeverity: "INFO" }, [1, 2, 3, 4, 5]],
        [{ minSeverity: "TRACE" }, [1, 2, 3, 4, 5, 6]],
        [{ minSeverity: "WARN", signal: "node.down" }, [4]],
        [{ after: 2, before: 5 }, [3, 4]],
        [{ job: "web", after: 1 }, [2, 5]],
        [{ sinceMs: START_MS + 1 }, [4, 5, 6]],
        [{ sinceMs: START_MS + 60_000 }, [4, 5, 6]],
        [{ untilMs: START_MS + 60_000 }, [1, 2, 3]],
        [{ untilMs: START_MS }, []],
        [{ sinceMs: START_MS + 60_001 }, []],
        [{ sinceMs: START_MS, untilMs: START_MS + 60_001, job: "web" }, [1, 2, 5]],
        [{ limit: 2 }, [1, 2]],
        [{ limit: 0 }, []],
        [{ order: "newest-first", limit: 2 }, [6, 5]],
        [{ order: "newest-first", job: "web" }, [5, 2, 1]],
        [{ order: "newest-first", signal: "allocation.failed", limit: 1 }, [5]],
        [{ order: "newest-first", minSeverity: "WARN", before: 5 }, [4, 2]],
      ] as const)("%j", async (query, expected) => {
        expect(await sequences(query)).toEqual(expected);
      });

      test("gives the same entries as reading, and forgets what was trimmed", async () => {
        expect(await log.history({ order: "oldest-first", limit: 100 })).toEqual(await readAll());
        await log.trim({ maxEvents: 2 });
        expect(await sequences({ signal: "allocation.failed" })).toEqual([5]);
        expect(await sequences({ job: "web" })).toEqual([5]);
      });
    });

    describe("cursorAt", () => {
      test("is the last event recorded before the time", async () => {
        await appendMany(2);
        nowMs += 1000;
        await appendMany(3);
        const at = async (timeMs: number) => (await log.cursorAt(timeMs)).sequence;
        expect(await log.cursorAt(START_MS)).toEqual({ epoch: (await log.head()).epoch, sequence: 0 });
        expect(await at(START_MS + 1)).toBe(2);
        expect(await at(START_MS + 1000)).toBe(2);
        expect(await at(START_MS + 1001)).toBe(5);
        expect(await at(0)).toBe(0);
        await log.trim({ maxEvents: 1 });
        expect(await at(0)).toBe(4);
      });

      test("stays in order when the clock is set back", async () => {
        await appendMany(2);
        nowMs -= 3_600_000;
        await appendMany(2);
        nowMs += 3_601_000;
        await appendMany(1);
        expect((await log.cursorAt(START_MS + 1)).sequence).toBe(4);
        expect((await log.cursorAt(START_MS)).sequence).toBe(0);
      });
    });

    describe("consistentRead", () => {
      test("shows the objects and the cursor of one moment while commits go on", async () => {
        const refs = Array.from({ length: 1200 }, (_, n) => jobRef(String(n).padStart(5, "0")));
        await poll(JOBS, "1", refs);
        await using read = await log.consistentRead();
        expect(read.cursor).toEqual({ epoch: (await log.head()).epoch, sequence: 1200 });
        const seen: StateEntry[] = [];
        for await (const batch of read.entries()) {
          if (seen.length === 0) await poll(JOBS, "2", [jobRef("zzz"), jobRef("01199")]);
          seen.push(...batch);
        }
        expect(seen.map((entry) => entry.ref)).toEqual(refs);
        expect(new Set(seen.map((entry) => entry.rev))).toEqual(new Set(["1"]));
        expect(await objects(log.loadState(JOBS))).toHaveLength(1201);
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
        await poll(ALL_JOBS, "1", [jobRef("web"), jobRef("web", "prod"), jobRef("db", "prod")]);
        await poll(ALLOCATIONS, "1", [{ resource: "allocations", namespace: "default", key: "a1" }]);
        await poll(NODES, "1", [{ resource: "nodes", namespace: "-", key: "n1" }]);
        await using read = await log.consistentRead();
        const found = (await objects(read.entries(filter))).map(
          ({ ref }) => `${ref.resource}/${ref.namespace}/${ref.key}`,
        );
        expect(found.toSorted()).toEqual(expected);
      });

      test("can be made by many at once and read again", async () => {
        await poll(JOBS, "1", [jobRef("web")]);
        const cuts = await Promise.all(Array.from({ length: 5 }, () => log.consistentRead()));
        for (const read of cuts) {
          expect(await objects(read.entries())).toHaveLength(1);
          expect(await objects(read.entries())).toHaveLength(1);
          await read[Symbol.asyncDispose]();
        }
      });
    });

    test("times tells the log's clock, and when the oldest and the newest event were recorded", async () => {
      expect(await log.times()).toEqual({ nowMs: START_MS, oldestMs: null, newestMs: null });
      await appendMany(2);
      nowMs += 10_000;
      await appendMany(2);
      nowMs += 5;
      const newestMs = START_MS + 10_000;
      expect(await log.times()).toEqual({ nowMs, oldestMs: START_MS, newestMs });
      await log.trim({ maxEvents: 1 });
      expect(await log.times()).toEqual({ nowMs, oldestMs: newestMs, newestMs });
    });

    describe("trim", () => {
      test("keeps the newest events and says how many went; state stays", async () => {
        await poll(
          JOBS,
          "1",
          Array.from({ length: 1000 }, (_, n) => jobRef(`job-${n}`)),
        );
        expect(await log.trim({ maxEvents: 100 })).toEqual({ floor: 900, removed: 900 });
        expect(await log.head()).toMatchObject({ sequence: 1000, floor: 900 });
        expect((await readAll()).map((entry) => entry.sequence)).toEqual(
          Array.from({ length: 100 }, (_, n) => n + 901),
        );
        expect(await objects(log.loadState(JOBS))).toHaveLength(1000);
      });

      test("goes by the bytes of the events, which the log says", async () => {
        await poll(JOBS, "1", [jobRef("web"), jobRef("db")]);
        const lengths = (await readAll()).map(({ json }) => Buffer.byteLength(json));
        const [first = 0, ...others] = lengths;
        expect(await log.bytes()).toBe(lengths.reduce((sum, each) => sum + each, 0));
        const left = (await log.bytes()) - first;
        await log.trim({ maxBytes: left });
        expect(await log.bytes()).toBe(left);
        expect(await (await under.reader()).bytes()).toBe(others.reduce((sum, each) => sum + each, 0));
      });

      test("does nothing within the limits", async () => {
        expect(await log.trim({ maxEvents: 0 })).toEqual({ floor: 0, removed: 0 });
        await appendMany(3);
        expect(await log.trim({})).toEqual({ floor: 0, removed: 0 });
        const roomy = { maxEvents: 3, maxBytes: 1e9, recordedBeforeMs: START_MS - 1000 };
        expect(await log.trim(roomy)).toEqual({ floor: 0, removed: 0 });
      });

      test("by age", async () => {
        await appendMany(4);
        nowMs += 10_000;
        await appendMany(2);
        expect(await log.trim({ recordedBeforeMs: nowMs - 10_000 })).toEqual({ floor: 0, removed: 0 });
        nowMs += 1;
        expect(await log.trim({ recordedBeforeMs: nowMs - 10_000 })).toEqual({ floor: 4, removed: 4 });
      });

      test("by bytes, what was cut from events included", async () => {
        await append(...Array.from({ length: 20 }, () => draft({ bytes: 1000, overflow: "x".repeat(1000) })));
        const { floor } = await log.trim({ maxBytes: 10_000 });
        expect(floor).toBeGreaterThanOrEqual(14);
        expect(floor).toBeLessThanOrEqual(16);
        expect(await log.overflow(floor)).toBeUndefined();
        expect(await log.overflow(floor + 1)).toBeDefined();
      });

      test("by whichever limit is exceeded first", async () => {
        await appendMany(10);
        expect(await log.trim({ maxEvents: 8, recordedBeforeMs: START_MS - 1e9, maxBytes: 1e9 })).toEqual({
          floor: 2,
          removed: 2,
        });
      });

      test("of everything leaves a log that goes on counting, also after a restart", async () => {
        await appendMany(5);
        expect(await log.trim({ maxEvents: 0 })).toEqual({ floor: 5, removed: 5 });
        expect(await readAll()).toEqual([]);
        log = await under.reopen();
        expect(await log.head()).toMatchObject({ sequence: 5, floor: 5 });
        expect(await append(job("next"))).toMatchObject({ first: 6, last: 6 });
        expect((await readAll()).map((entry) => entry.sequence)).toEqual([6]);
      });

      test("goes on beside commits", async () => {
        await poll(
          JOBS,
          "1",
          Array.from({ length: 1500 }, (_, n) => jobRef(`job-${n}`)),
        );
        const trimming = log.trim({ maxEvents: 500 });
        await appendMany(10);
        await trimming;
        const { floor, sequence } = await log.head();
        expect(sequence).toBe(1510);
        expect(floor).toBeGreaterThanOrEqual(1000);
        expect(await readAll()).toHaveLength(sequence - floor);
      });

      test("leaves the rest for the next time when its signal aborts", async () => {
        await appendMany(1500);
        const stop = new AbortController();
        const trimming = log.trim({ maxEvents: 0 }, { signal: stop.signal });
        stop.abort();
        const { floor, removed } = await trimming;
        expect(floor).toBe(removed);
        expect(floor).toBeLessThan(1500);
        expect(await readAll()).toHaveLength(1500 - floor);
        expect(await log.trim({ maxEvents: 0 })).toEqual({ floor: 1500, removed: 1500 - removed });
      });
    });

    describe("consumers", () => {
      test("keep their cursor, and a name nobody stored has none", async () => {
        await appendMany(3);
        const { epoch } = await log.head();
        nowMs += 5000;
        const stored = await log.consumers.put("audit", { epoch, sequence: 2 });
        expect(stored).toEqual({
          name: "audit",
          cursor: { epoch, sequence: 2 },
          updatedAt: expect.stringMatching(/^2026-08-22T10:00:05/),
          lastError: null,
          owner: null,
        });
        expect(await log.consumers.get("audit")).toEqual(stored);
        expect(await log.consumers.get("other")).toBeUndefined();
      });

      test("never move backwards unless rewound", async () => {
        const { epoch } = await log.head();
        await log.consumers.put("audit", { epoch, sequence: 5 });
        expect(await log.consumers.put("audit", { epoch, sequence: 3 })).toMatchObject({
          cursor: { sequence: 5 },
        });
        expect(await log.consumers.put("audit", { epoch: "zzzzzz", sequence: 9 })).toMatchObject({
          cursor: { epoch, sequence: 5 },
        });
        expect(await log.consumers.put("audit", { epoch, sequence: 3 }, { rewind: true })).toMatchObject({
          cursor: { sequence: 3 },
        });
        expect(await log.consumers.get("audit")).toMatchObject({ cursor: { sequence: 3 } });
      });

      test("come from an older epoch into the feed's own", async () => {
        const { epoch } = await log.head();
        await log.consumers.put("audit", { epoch: "zzzzzz", sequence: 900 });
        expect(await log.consumers.put("audit", { epoch, sequence: 1 })).toMatchObject({
          cursor: { epoch, sequence: 1 },
        });
      });

      test("remember their last error until the next success", async () => {
        const { epoch } = await log.head();
        const cursor = { epoch, sequence: 0 };
        await log.consumers.put("hook", cursor, { lastError: "503 from example.com" });
        expect(await log.consumers.get("hook")).toMatchObject({ lastError: "503 from example.com" });
        await log.consumers.put("hook", cursor);
        expect(await log.consumers.get("hook")).toMatchObject({ lastError: null });
      });

      test("are as they were after a cursor that is no newer, their time included", async () => {
        const { epoch } = await log.head();
        const stored = await log.consumers.put("audit", { epoch, sequence: 5 });
        nowMs += 5000;
        for (const sequence of [5, 3]) {
          expect(await log.consumers.put("audit", { epoch, sequence })).toEqual(stored);
        }
        expect(await log.consumers.get("audit")).toEqual(stored);
        expect(await log.consumers.put("audit", { epoch, sequence: 6 })).toMatchObject({
          updatedAt: "2026-08-22T10:00:05.000Z",
        });
      });

      describe("of owners", () => {
        const ann = { owner: "token ann", manages: false };
        const bob = { owner: "token bob", manages: false };
        const boss = { owner: "token boss", manages: true };
        const taken = { code: "CONSUMER_TAKEN", message: 'The consumer "audit" is not this token\'s' };
        const at = (sequence: number) => ({ epoch: "abc123", sequence });
        const ownerOf = async (consumer: string) => (await log.consumers.get(consumer))?.owner;

        test("belong to who made them, also after a restart", async () => {
          expect(await log.consumers.put("audit", at(1), { by: ann })).toMatchObject({ owner: "token ann" });
          log = await under.reopen();
          await expect(log.consumers.put("audit", at(9), { by: bob })).rejects.toMatchObject(taken);
          await expect(log.consumers.remove("audit", bob)).rejects.toMatchObject(taken);
          expect(await log.consumers.get("audit")).toMatchObject({ cursor: at(1), owner: "token ann" });
          expect(await log.consumers.list()).toMatchObject([{ owner: "token ann" }]);
          expect(await log.consumers.put("audit", at(2), { by: ann })).toMatchObject({ cursor: at(2) });
          expect(await log.consumers.remove("audit", ann)).toBe(true);
          expect(await log.consumers.put("audit", at(1), { by: bob })).toMatchObject({ owner: "token bob" });
        });

        test("are moved and removed by who manages, and stay whose they are", async () => {
          await log.consumers.put("audit", at(1), { by: ann });
          expect(await log.consumers.put("audit", at(3), { by: boss })).toMatchObject({
            cursor: at(3),
            owner: "token ann",
          });
          expect(await log.consumers.put("audit", at(4))).toMatchObject({ owner: "token ann" });
          expect(await log.consumers.remove("audit", boss)).toBe(true);
          expect(await log.consumers.put("audit", at(1), { by: boss })).toMatchObject({
            owner: "token boss",
          });
          await expect(log.consumers.put("audit", at(2), { by: ann })).rejects.toMatchObject(taken);
        });

        test("that nobody owns become theirs who use them first, and only who manages removes them", async () => {
          await log.consumers.put("audit", at(1));
          await log.consumers.put("audit", at(2), { by: boss });
          expect(await ownerOf("audit")).toBeNull();
          await expect(log.consumers.remove("audit", bob)).rejects.toMatchObject(taken);
          // Where it is already: nothing moves, and it is theirs all the same.
          await log.consumers.put("audit", at(2), { by: ann });
          expect(await ownerOf("audit")).toBe("token ann");
          await expect(log.consumers.put("audit", at(3), { by: bob })).rejects.toMatchObject(taken);
          await log.consumers.put("other", at(1));
          expect(await log.consumers.remove("other", boss)).toBe(true);
          expect(await log.consumers.remove("other", ann)).toBe(false);
        });

        test("are as many as one may have, and as there may be", async () => {
          const limits = { ofOwner: 2, total: 3 };
          const put = (consumer: string, by = ann) => log.consumers.put(consumer, at(1), { by, limits });
          await put("a1");
          await put("a2");
          await expect(put("a3")).rejects.toMatchObject({
            code: "CONSUMERS_FULL",
            message: "This token has 2 consumers already",
          });
          await put("b1", bob);
          await expect(put("b2", bob)).rejects.toMatchObject({
            code: "CONSUMERS_FULL",
            message: "There are 3 consumers already",
          });
          expect((await log.consumers.list()).map((consumer) => consumer.name)).toEqual(["a1", "a2", "b1"]);
          await log.consumers.put("a1", at(5), { by: ann, limits });
          await log.consumers.remove("a2", ann);
          await put("a4");
          expect(await log.consumers.get("a1")).toMatchObject({ cursor: at(5) });
        });
      });

      test("are listed by name and can be removed", async () => {
        const { epoch } = await log.head();
        for (const consumer of ["b", "a"]) await log.consumers.put(consumer, { epoch, sequence: 0 });
        expect((await log.consumers.list()).map((consumer) => consumer.name)).toEqual(["a", "b"]);
        expect(await log.consumers.remove("a")).toBe(true);
        expect(await log.consumers.remove("a")).toBe(false);
        expect(await log.consumers.list()).toHaveLength(1);
      });
    });

    describe("dead letters", () => {
      const letter = (sequence: number, epoch = "abc123", part: Partial<Parked> = {}): Parked => ({
        cursor: { epoch, sequence },
        id: `0/jobs/default/web@${sequence}`,
        json: `{"sequence":${sequence},"name":"żółw 🐢 \\u0000"}`,
        reason: "400 from example.com: no such field",
        attempts: 3,
        ...part,
      });
      const park = async (...letters: Parked[]) => {
        for (const one of letters) await log.deadLetters.put("hook", one);
      };
      const cursors = async (options: { after?: Cursor; limit?: number } = {}, from = log) =>
        (await from.deadLetters.list("hook", { limit: 100, ...options })).map(({ cursor }) =>
          formatCursor(cursor),
        );

      test("are kept whole, in order of sequence, also over a restart and for readers", async () => {
        expect(await log.deadLetters.list("hook", { limit: 10 })).toEqual([]);
        expect(await log.deadLetters.count("hook")).toBe(0);
        nowMs += 5000;
        const kept = await log.deadLetters.put("hook", letter(7));
        expect(kept).toEqual({ ...letter(7), parkedAt: "2026-08-22T10:00:05.000Z" });
        await park(letter(12));
        log = await under.reopen();
        expect(await log.deadLetters.list("hook", { limit: 10 })).toEqual([
          kept,
          { ...letter(12), parkedAt: kept.parkedAt },
        ]);
        const reader = await under.reader();
        try {
          expect(await cursors({}, reader)).toEqual(["abc123-7", "abc123-12"]);
          expect(await reader.deadLetters.count("hook")).toBe(2);
          await expect(reader.deadLetters.put("hook", letter(13))).rejects.toMatchObject({
            code: "LOG_UNUSABLE",
            message: expect.stringContaining("reading only"),
          });
        } finally {
          await reader[Symbol.asyncDispose]();
        }
      });

      test("are not twice when put again: the first one stays", async () => {
        const first = await log.deadLetters.put("hook", letter(7));
        nowMs += 5000;
        const again = letter(7, "abc123", { reason: "gone", attempts: 9 });
        expect(await log.deadLetters.put("hook", again)).toEqual(first);
        await park(letter(8));
        expect(await log.deadLetters.put("hook", again)).toEqual(first);
        expect(await cursors()).toEqual(["abc123-7", "abc123-8"]);
        expect(await log.deadLetters.count("hook")).toBe(2);
      });

      test("can come in any order", async () => {
        for (const sequence of [5, 9, 7, 1, 20, 8]) await park(letter(sequence));
        await log.deadLetters.remove("hook", [letter(20).cursor]);
        await park(letter(10), letter(3));
        const inOrder = [1, 3, 5, 7, 8, 9, 10];
        expect(await log.deadLetters.list("hook", { limit: 100 })).toEqual(
          inOrder.map((sequence) => ({ ...letter(sequence), parkedAt: "2026-08-22T10:00:00.000Z" })),
        );
        await log.deadLetters.remove(
          "hook",
          inOrder.map((sequence) => letter(sequence).cursor),
        );
        await park(letter(2));
        expect(await cursors()).toEqual(["abc123-2"]);
      });

      test("of two epochs may have the same sequence", async () => {
        await park(letter(7, "zzz999"), letter(8, "zzz999"), letter(7, "abc123"));
        expect(await cursors()).toEqual(["abc123-7", "zzz999-7", "zzz999-8"]);
        expect(await cursors({ after: { epoch: "abc123", sequence: 7 } })).toEqual(["zzz999-7", "zzz999-8"]);
        await log.deadLetters.remove("hook", [{ epoch: "zzz999", sequence: 7 }]);
        expect(await cursors()).toEqual(["abc123-7", "zzz999-8"]);
      });

      test("are listed page by page, also from a letter that was removed meanwhile", async () => {
        await park(...[1, 2, 3, 4, 5].map((sequence) => letter(sequence)));
        expect(await cursors({ limit: 2 })).toEqual(["abc123-1", "abc123-2"]);
        await log.deadLetters.remove("hook", [letter(2).cursor]);
        expect(await cursors({ after: letter(2).cursor, limit: 2 })).toEqual(["abc123-3", "abc123-4"]);
        expect(await cursors({ after: letter(5).cursor })).toEqual([]);
        expect(await cursors({ limit: 0 })).toEqual([]);
      });

      test("are removed one by one or many at once", async () => {
        await park(letter(1), letter(2), letter(3));
        const some = [letter(1), letter(3), letter(4)].map(({ cursor }) => cursor);
        expect(await log.deadLetters.remove("hook", some)).toBe(2);
        expect(await log.deadLetters.remove("hook", some)).toBe(0);
        expect(await log.deadLetters.remove("hook", [])).toBe(0);
        expect(await cursors()).toEqual(["abc123-2"]);
      });

      test("belong to their consumer, and go with it", async () => {
        await log.deadLetters.put("hook", letter(1));
        await log.deadLetters.put("mail", letter(1));
        await log.consumers.put("hook", { epoch: "abc123", sequence: 1 });
        expect(await log.consumers.remove("hook")).toBe(true);
        expect(await log.deadLetters.count("hook")).toBe(0);
        expect(await log.deadLetters.count("mail")).toBe(1);
      });

      test("outlive their events in the log", async () => {
        await append(job("a"));
        const [event] = await readAll();
        const { epoch } = await log.head();
        const parked = letter(1, epoch, { id: event?.id ?? "", json: event?.json ?? "" });
        await park(parked);
        await log.trim({ maxEvents: 0 });
        expect(await readAll()).toEqual([]);
        expect(await log.deadLetters.list("hook", { limit: 10 })).toMatchObject([parked]);
      });

      test("are refused beyond the most a consumer may have, and never dropped", async () => {
        const all = Array.from({ length: MAX_DEAD_LETTERS }, (_, n) => letter(n + 1));
        await Promise.all(all.map((one) => log.deadLetters.put("hook", one)));
        const refusal = {
          code: "DEAD_LETTERS_FULL",
          message: expect.stringContaining(`hook has ${MAX_DEAD_LETTERS} dead letters`),
        };
        await expect(log.deadLetters.put("hook", letter(99_999))).rejects.toMatchObject(refusal);
        expect(await log.deadLetters.put("hook", letter(5))).toMatchObject(letter(5));
        expect(await log.deadLetters.put("mail", letter(99_999))).toMatchObject(letter(99_999));
        expect(await log.deadLetters.count("hook")).toBe(MAX_DEAD_LETTERS);
        expect(await cursors({ limit: 2 })).toEqual(["abc123-1", "abc123-2"]);
        await log.deadLetters.remove("hook", [letter(1).cursor]);
        expect(await log.deadLetters.put("hook", letter(99_999))).toMatchObject(letter(99_999));
      });
    });

    test("a closed log says so", async () => {
      const claim = await log.claim(JOBS, "me");
      await log[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
      await expect(log.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(log.commit(chunk(claim))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(objects(log.loadState(JOBS))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(log.deadLetters.count("hook")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    });
  });
}

function jobRef(key: string, namespace = "default"): ObjectRef {
  return { resource: "jobs" satisfies ResourceType, namespace, key };
}

function job(key: string): EventDraft {
  return draft({ ...jobRef(key), job: key });
}

async function objects(batches: AsyncIterable<StateEntry[]>): Promise<StateEntry[]> {
  const all: StateEntry[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

/** All there is to see of a log. */
async function everything(log: FeedLog) {
  const head = await log.head();
  await using read = await log.consistentRead();
  return {
    head,
    events: await log.read({ epoch: head.epoch, sequence: head.floor }, { limit: 10_000 }),
    state: await objects(read.entries()),
    scopes: await log.scopes(),
    consumers: await log.consumers.list(),
  };
}
