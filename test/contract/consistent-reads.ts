import assert from "node:assert/strict";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { Claim, FeedLog, ConsistentRead, StateFilter } from "../../src/feed/log.ts";
import { objectChange, refOf } from "../support/drafts.ts";
import type { OpenLog } from "./log-context.ts";

/** So long that the objects of a hundred do not fit into what is read at once. */
const KEYS = Array.from({ length: 150 }, (_, n) => `k${String(n).padStart(3, "0")}-${"x".repeat(600)}`);
const NAMESPACES = ["default", "prod"];

/** What happens to a log while consistent reads are open. Numbers are choices among what there is, modulo. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      changes: fc.array(fc.record({ key: fc.nat(), namespace: fc.nat(1), removed: fc.boolean() }), {
        minLength: 1,
        maxLength: 40,
      }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("open" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), read: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("close" as const), read: fc.nat() }) },
);

/** Beside the suite of feed-log.ts: reads of many moments, bit by bit while commits go on. */
export function consistentReadContract(name: string, open: OpenLog): void {
  describe(`consistent reads of ${name}`, () => {
    let log: FeedLog;
    let under: Awaited<ReturnType<OpenLog>>;
    beforeEach(async () => {
      under = await open({ clock: systemClock });
      ({ log } = under);
    });
    afterEach(() => under.dispose());

    test("show each their own moment, in whatever order they are begun, read and ended", async () => {
      const run = new Run(log, await log.claim({ resource: "jobs", namespace: "*" }, "me"));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
          for (const one of steps) await run.take(one);
          await run.end();
        }),
        { numRuns: 15, endOnFailure: true },
      );
    });

    test("find one object by its key as it was then", async () => {
      const run = new Run(log, await log.claim({ resource: "jobs", namespace: "*" }, "me"));
      await run.commit([
        ["default/a", "1"],
        ["default/b", "1"],
        ["prod/a", "1"],
      ]);
      await using read = await log.consistentRead();
      await run.commit([
        ["default/a", "2"],
        ["default/b", null],
        ["default/c", "2"],
      ]);
      await run.commit([
        ["default/a", "3"],
        ["default/b", "3"],
        ["prod/a", null],
      ]);
      const found = (filter: StateFilter) => objectsOf(read, filter);
      expect(await found({ resource: "jobs", namespace: "default", key: "a" })).toEqual(["default/a@1"]);
      expect(await found({ resource: "jobs", namespace: "default", key: "b" })).toEqual(["default/b@1"]);
      expect(await found({ resource: "jobs", namespace: "default", key: "c" })).toEqual([]);
      expect(await found({ key: "a" })).toEqual(["default/a@1", "prod/a@1"]);
      expect(await found({ namespace: "prod" })).toEqual(["prod/a@1"]);
    });

    test("show what was replaced last before they began, and is replaced again after", async () => {
      const run = new Run(log, await log.claim({ resource: "jobs", namespace: "*" }, "me"));
      await run.commit([["default/a", "1"]]);
      await using older = await log.consistentRead();
      await run.commit([["default/a", "2"]]);
      await using newer = await log.consistentRead();
      await run.commit([["default/a", "3"]]);
      for (const filter of [{}, { resource: "jobs", namespace: "default", key: "a" }] as const) {
        expect(await objectsOf(older, filter)).toEqual(["default/a@1"]);
        expect(await objectsOf(newer, filter)).toEqual(["default/a@2"]);
      }
    });
  });
}

interface Reading {
  readonly read: ConsistentRead;
  readonly batches: AsyncIterator<string[]>;
  readonly seen: string[];
  readonly expected: readonly string[];
}

class Run {
  readonly #log: FeedLog;
  readonly #claim: Claim;
  /** `<namespace>/<key>` to rev. */
  readonly #state = new Map<string, string>();
  readonly #open: Reading[] = [];
  #rev: number;
  #sequence = 0;

  constructor(log: FeedLog, claim: Claim) {
    this.#log = log;
    this.#claim = claim;
    this.#rev = claim.rev;
  }

  async take(one: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    switch (one.do) {
      case "commit":
        return this.commit(
          one.changes.map(({ key, namespace, removed }) => [
            `${NAMESPACES[namespace]}/${KEYS[key % KEYS.length]}`,
            removed ? null : String(this.#rev + 1),
          ]),
        );
      case "open":
        return this.#begin();
      case "read": {
        const reading = this.#pick(one.read);
        const batch = await reading?.batches.next();
        if (batch?.done === false) reading?.seen.push(...batch.value);
        return;
      }
      case "close": {
        const reading = this.#pick(one.read);
        if (reading !== undefined) await this.#finish(reading);
      }
    }
  }

  async commit(changes: readonly (readonly [place: string, rev: string | null])[]): Promise<void> {
    const made = changes.map(([place, rev]) => {
      const [namespace = "", key = ""] = place.split("/");
      if (rev === null) this.#state.delete(place);
      else this.#state.set(place, rev);
      return objectChange(refOf("jobs", key, namespace), rev);
    });
    const { rev } = await this.#log.commit({
      scope: this.#claim.scope,
      fence: this.#claim.fence,
      expectedRev: this.#rev,
      commitId: `commit-${this.#rev}`,
      events: made.map(({ event }) => event),
      state: made.map(({ state }) => state),
    });
    this.#rev = rev;
    this.#sequence += made.length;
  }

  async end(): Promise<void> {
    while (this.#open[0] !== undefined) await this.#finish(this.#open[0]);
  }

  async #begin(): Promise<void> {
    const read = await this.#log.consistentRead();
    assert.equal(read.cursor.sequence, this.#sequence);
    const expected = [...this.#state].map(([place, rev]) => `${place}@${rev}`).toSorted();
    this.#open.push({ read, batches: textsOf(read), seen: [], expected });
  }

  async #finish(reading: Reading): Promise<void> {
    for (let batch = await reading.batches.next(); batch.done !== true; batch = await reading.batches.next())
      reading.seen.push(...batch.value);
    assert.deepEqual(reading.seen, reading.expected);
    await reading.read[Symbol.asyncDispose]();
    this.#open.splice(this.#open.indexOf(reading), 1);
  }

  #pick(choice: number): Reading | undefined {
    return this.#open[choice % this.#open.length];
  }
}

async function* textsOf(read: ConsistentRead, filter?: StateFilter): AsyncGenerator<string[]> {
  for await (const batch of read.entries(filter))
    yield batch.map(({ ref, rev }) => `${ref.namespace}/${ref.key}@${rev}`);
}

async function objectsOf(read: ConsistentRead, filter: StateFilter): Promise<string[]> {
  return (await Array.fromAsync(textsOf(read, filter))).flat();
}
