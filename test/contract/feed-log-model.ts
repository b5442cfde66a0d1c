import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Claim, Commit, FeedLog } from "../../src/feed/log.ts";
import { subjectOf, type ObjectRef } from "../../src/schemas/resources.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { scopesOverlap, type Scope } from "../../src/schemas/scope.ts";
import { objectChange } from "../support/drafts.ts";
import type { OpenLog } from "./log-context.ts";

const SCOPES: readonly Scope[] = [
  { resource: "jobs", namespace: "default" },
  { resource: "jobs", namespace: "prod" },
  { resource: "jobs", namespace: "*" },
  { resource: "nodes", namespace: "-" },
];
const OBJECTS: readonly ObjectRef[] = [
  { resource: "jobs", namespace: "default", key: "a" },
  { resource: "jobs", namespace: "default", key: "b" },
  { resource: "jobs", namespace: "prod", key: "a" },
  { resource: "nodes", namespace: "-", key: "n" },
];

/** One thing done to a log. Numbers are choices among what there is, modulo. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("claim" as const), scope: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      claim: fc.nat(),
      revOff: fc.oneof(
        { weight: 8, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
      ),
      changes: fc.array(fc.record({ object: fc.nat(), removed: fc.boolean() }), { maxLength: 4 }),
      checkpoint: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), commit: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("read" as const), sequence: fc.nat(40), limit: fc.nat(6) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), maxEvents: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A log as plain data: what the interface promises, written the shortest way. */
class Model {
  sequence = 0;
  floor = 0;
  fence = 0;
  events: string[] = [];
  readonly state = new Map<string, string>();
  readonly scopes = new Map<
    Scope,
    { fence: number; rev: number; last: { commit: Commit; first: number; last: number } | null }
  >();

  claim(scope: Scope): { fence: number; rev: number } {
    const rev = this.rev(scope);
    this.fence += 1;
    this.scopes.set(scope, { fence: this.fence, rev, last: this.scopes.get(scope)?.last ?? null });
    return { fence: this.fence, rev };
  }

  rev(scope: Scope): number {
    return this.scopes.get(scope)?.rev ?? 0;
  }

  /** What the log must answer: a result, or the code of an error. */
  commit(commit: Commit): object | string {
    const own = this.scopes.get(commit.scope);
    const fences = [...this.scopes]
      .filter(([scope]) => scopesOverlap(scope, commit.scope))
      .map(([, { fence }]) => fence);
    if (own === undefined || Math.max(...fences) !== commit.fence) return "FENCED";
    if (own.rev !== commit.expectedRev) {
      if (own.last?.commit.commitId !== commit.commitId) return "CONFLICT";
      return { status: "duplicate", first: own.last.first, last: own.last.last, rev: own.rev };
    }
    const any = commit.events.length > 0;
    const first = any ? this.sequence + 1 : 0;
    this.sequence += commit.events.length;
    this.events.push(...commit.events.map((event) => event.id));
    for (const { ref, next } of commit.state) {
      if (next === null) this.state.delete(subjectOf(ref));
      else this.state.set(subjectOf(ref), next.rev);
    }
    own.rev += 1;
    own.last = { commit, first, last: any ? this.sequence : 0 };
    return { status: "committed", first, last: own.last.last, rev: own.rev };
  }

  trim(maxEvents: number): { floor: number; removed: number } {
    const removed = Math.max(0, this.events.length - maxEvents);
    this.events = this.events.slice(removed);
    this.floor += removed;
    return { floor: this.floor, removed };
  }

  read(sequence: number, limit: number): number[] | string {
    if (sequence > this.sequence) return "FUTURE_CURSOR";
    if (sequence < this.floor) return "CURSOR_EXPIRED";
    return Array.from({ length: Math.min(limit, this.sequence - sequence) }, (_, n) => sequence + 1 + n);
  }
}

/** Holds any log to the model, over any course of claims, commits, repetitions, trims, reads and restarts. */
export async function checkAgainstModel(open: OpenLog, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const under = await open({ clock: { ...systemClock, now: () => 1_000_000 } });
      try {
        const run = new Run(under.log, new Model());
        for (const one of steps) {
          if (one.do === "reopen") run.log = await under.reopen();
          else await run.take(one);
          await run.compare();
        }
      } finally {
        await under.dispose();
      }
    }),
    { numRuns: runs },
  );
}

class Run {
  log: FeedLog;
  readonly #model: Model;
  readonly #claims: Claim[] = [];
  readonly #commits: Commit[] = [];

  constructor(log: FeedLog, model: Model) {
    this.log = log;
    this.#model = model;
  }

  async take(one: Exclude<Step, { do: "reopen" }>): Promise<void> {
    switch (one.do) {
      case "claim": {
        const scope = pick(SCOPES, one.scope);
        const claim = await this.log.claim(scope, "model");
        assert.deepEqual({ fence: claim.fence, rev: claim.rev }, this.#model.claim(scope));
        this.#claims.push(claim);
        return;
      }
      case "commit": {
        if (this.#claims.length === 0) return;
        const commit = this.#build(pick(this.#claims, one.claim), one);
        this.#commits.push(commit);
        return this.#commit(commit);
      }
      case "repeat":
        return this.#commits.length === 0 ? undefined : this.#commit(pick(this.#commits, one.commit));
      case "read": {
        const { epoch } = await this.log.head();
        const cursor = { epoch, sequence: one.sequence };
        const entries = await outcome(this.log.read(cursor, { limit: one.limit }));
        const found = typeof entries === "string" ? entries : entries.map((entry) => entry.sequence);
        assert.deepEqual(found, this.#model.read(one.sequence, one.limit));
        return;
      }
      case "trim":
        assert.deepEqual(await this.log.trim({ maxEvents: one.maxEvents }), this.#model.trim(one.maxEvents));
    }
  }

  async compare(): Promise<void> {
    const { epoch, sequence, floor } = await this.log.head();
    assert.deepEqual({ sequence, floor }, { sequence: this.#model.sequence, floor: this.#model.floor });
    const entries = await this.log.read({ epoch, sequence: floor }, { limit: 1000 });
    assert.deepEqual(
      entries.map((entry) => entry.id),
      this.#model.events,
    );
    await using read = await this.log.consistentRead();
    const state = new Map<string, string>();
    for await (const batch of read.entries())
      for (const { ref, rev } of batch) state.set(subjectOf(ref), rev);
    assert.deepEqual(state, this.#model.state);
  }

  async #commit(commit: Commit): Promise<void> {
    assert.deepEqual(await outcome(this.log.commit(commit)), this.#model.commit(commit));
  }

  #build(claim: Claim, one: Extract<Step, { do: "commit" }>): Commit {
    const number = this.#commits.length + 1;
    const inScope = OBJECTS.filter((ref) => scopesOverlap(claim.scope, ref));
    const changes = one.changes.map((change) =>
      objectChange(pick(inScope, change.object), change.removed ? null : String(number)),
    );
    const checkpoint = { index: String(number), nomadEpoch: 0, count: 0, observedAt: "2026-08-22T10:00:00Z" };
    return {
      scope: claim.scope,
      fence: claim.fence,
      expectedRev: this.#model.rev(claim.scope) + one.revOff,
      commitId: `commit-${number}`,
      events: changes.map(({ event }) => event),
      state: changes.map(({ state }) => state),
      ...(one.checkpoint ? { checkpoint } : {}),
    };
  }
}

async function outcome<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
    throw error;
  }
}

function pick<T>(list: readonly T[], choice: number): T {
  return list[choice % list.length] as T;
}
