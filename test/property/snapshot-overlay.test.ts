import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  canonicalText,
  applied,
  bodyOf,
  contents,
  inOneGo,
  snapshotOfStubs,
} from "../support/list-fixtures.ts";
import type { Change } from "../../src/schemas/change.ts";
import { parseExact } from "../../src/schemas/json.ts";
import { RESOURCES, subjectOf, type ObjectRef } from "../../src/schemas/resources.ts";
import { foldInSlices, overlayBytes } from "../../src/snapshots/fold.ts";
import {
  compareLists,
  compareWithTold,
  diffWhole,
  parseSnapshot,
  patchSnapshot,
  type ListComparison,
  type Snapshot,
} from "../../src/snapshots/snapshot.ts";

const { jobs } = RESOURCES;
/** Some begin others, as those that a read by prefix brings along. */
const KEYS = ["web", "web-1", "web-1/a", "db", "cache"];
const WRITES = 12;

function refOf(key: string): ObjectRef {
  return { resource: "jobs", namespace: "default", key };
}

/** What is true at an index: each object's version. */
type State = ReadonlyMap<string, string>;

/** Members in one order or the other, as Nomad's maps are. */
function stubText(key: string, version: string, odd: boolean): string {
  const members = [`"a":${version}`, `"b":1795434687866379238`];
  return `{"ID":"${key}","Namespace":"default","m":{${(odd ? members.toReversed() : members).join()}}}`;
}

function bodyAt(state: State, prefix: string, odd: boolean): Buffer {
  const found = [...state].filter(([key]) => key.startsWith(prefix));
  return bodyOf(found.map(([key, version]) => stubText(key, version, odd)));
}

/** States by index; every write moves the index. Few versions, so that an object may become what it was. */
const history: fc.Arbitrary<readonly State[]> = fc
  .array(fc.record({ key: fc.constantFrom(...KEYS), version: fc.constantFrom("1", "2", null) }), {
    minLength: WRITES,
    maxLength: WRITES,
  })
  .map((writes) => {
    const states: State[] = [new Map()];
    for (const { key, version } of writes) {
      const state = new Map(states.at(-1));
      if (version === null) state.delete(key);
      else state.set(key, version);
      states.push(state);
    }
    return states;
  });

const at = fc.nat({ max: WRITES });
const read = fc.record({ key: fc.constantFrom(...KEYS), at });
const step = fc.oneof(
  fc.record({ kind: fc.constant("list" as const), at }),
  fc.record({ kind: fc.constant("reads" as const), reads: fc.array(read, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("reads" as const), reads: fc.array(read, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("fold" as const) }),
  fc.record({ kind: fc.constant("compare" as const), at }),
);

/** Of each object only what is newest, and where it was seen. */
class Model {
  readonly #states: readonly State[];
  readonly #seenAt = new Map(KEYS.map((key) => [key, 0]));

  constructor(states: readonly State[]) {
    this.#states = states;
  }

  see(key: string, index: number): void {
    this.#seenAt.set(key, Math.max(index, this.#seenAt.get(key) as number));
  }

  get newest(): number {
    return Math.max(...this.#seenAt.values());
  }

  contents(): Map<string, string> {
    const versions = KEYS.flatMap((key) => {
      const version = this.#states[this.#seenAt.get(key) as number]?.get(key);
      return version === undefined ? [] : [[key, version] as const];
    });
    return new Map(
      versions.map(([key, version]) => [
        subjectOf(refOf(key)),
        canonicalText(parseExact(stubText(key, version, false))),
      ]),
    );
  }
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The snapshot holds this, and says so in every way it has. */
function expectToHold(snapshot: Snapshot, expected: ReadonlyMap<string, string>): void {
  expect(sorted(contents(snapshot))).toEqual(sorted(expected));
  expect(snapshot.count).toBe(expected.size);
  const stubs = [...snapshot.stubs()];
  const told = [...snapshot.refs()].map((ref, position) => ({ ref, stub: stubs[position] as Buffer }));
  const comparison = compareWithTold(snapshot);
  inOneGo(comparison.add(told));
  expect(inOneGo(comparison.changes())).toEqual([]);
  expect(sorted(contents(snapshotOfStubs(jobs, stubs)))).toEqual(sorted(expected));
}

function expectToLead(previous: Snapshot, changes: readonly Change[], next: Snapshot): void {
  expect(sorted(applied(previous, changes))).toEqual(sorted(contents(next)));
  const known = new Map<string, string | undefined>(contents(previous));
  for (const { ref, before, after } of changes) {
    const [from, to] = [before, after].map((stub) => stub?.value && canonicalText(stub.value));
    expect(from).toBe(known.get(subjectOf(ref)));
    expect(to).not.toBe(from);
    known.set(subjectOf(ref), to);
  }
}

test("what is newest of each object stays on top, in whatever order lists and reads come", () => {
  fc.assert(
    fc.property(history, fc.array(step, { maxLength: 14 }), (states, steps) => {
      const model = new Model(states);
      const seen: { snapshot: Snapshot; holds: ReadonlyMap<string, string> }[] = [];
      let snapshot = parseSnapshot(jobs, Buffer.from("[]"));
      let listedAt = 0;
      /** A list that came, and was compared with the one that was the last then. */
      let compared: ListComparison | undefined;
      for (const [number, each] of steps.entries()) {
        const previous = snapshot;
        const odd = number % 2 === 1;
        if (each.kind === "list") {
          // A list older than the last one has another history: what to make of it is the poller's.
          if (compared === undefined) listedAt = Math.max(listedAt, each.at);
          const body = compared?.body ?? bodyAt(states[listedAt] as State, "", odd);
          const { next, changes } = diffWhole(previous, body, {
            index: BigInt(listedAt),
            ...(compared && { compared }),
          });
          compared = undefined;
          for (const key of KEYS) model.see(key, listedAt);
          expectToLead(previous, changes, next);
          snapshot = next;
        } else if (each.kind === "reads") {
          const reads = each.reads.map((one) => ({
            ref: refOf(one.key),
            body: bodyAt(states[one.at] as State, one.key, odd),
            index: BigInt(one.at),
          }));
          const { next, changes } = inOneGo(patchSnapshot(previous, reads));
          for (const one of each.reads) model.see(one.key, one.at);
          expectToLead(previous, changes, next);
          snapshot = next;
        } else if (each.kind === "compare") {
          listedAt = Math.max(listedAt, each.at);
          compared = inOneGo(compareLists(previous, bodyAt(states[listedAt] as State, "", odd)));
        } else {
          snapshot = inOneGo(foldInSlices(previous));
        }
        const isOneList = each.kind === "fold" || (each.kind === "list" && listedAt === model.newest);
        expect(overlayBytes(snapshot)).toBeLessThanOrEqual(isOneList ? 0 : Infinity);
        const holds = model.contents();
        expectToHold(snapshot, holds);
        seen.push({ snapshot, holds });
      }
      for (const { snapshot: old, holds } of seen) expectToHold(old, holds);
    }),
    { numRuns: 200, seed: 11 },
  );
});
