import * as fc from "fast-check";
import { expect, test } from "vitest";

import { MalformedList } from "../../src/snapshots/errors.ts";
import { diffSnapshot, diffWhole, parseSnapshot } from "../../src/snapshots/snapshot.ts";
import {
  applied,
  comparable,
  contents,
  listPair,
  objectsOf,
  plainDiff,
  snapshotOfStubs,
} from "../support/list-fixtures.ts";

test("finds what the plain diff finds", () => {
  fc.assert(
    fc.property(listPair, ({ resource, previous, next }) => {
      const { changes } = diffWhole(parseSnapshot(resource, previous), next);
      expect(comparable(changes)).toEqual(comparable(plainDiff(previous, next, resource)));
    }),
    { numRuns: 1000 },
  );
});

test("its changes lead from the previous list to the next", () => {
  fc.assert(
    fc.property(listPair, ({ resource, previous, next: body }) => {
      const before = parseSnapshot(resource, previous);
      const { next, changes } = diffWhole(before, body);
      expect(applied(before, changes)).toEqual(contents(next));
      expect(contents(next)).toEqual(contents(parseSnapshot(resource, body)));
      expect(next.count).toBe(objectsOf(body, resource).size);
    }),
    { numRuns: 500 },
  );
});

test("a snapshot reached by diffs serves the next diff as well as one parsed afresh", () => {
  fc.assert(
    fc.property(listPair, ({ resource, previous, next: body }) => {
      const { next } = diffWhole(parseSnapshot(resource, previous), body);
      expect(diffWhole(next, body).changes).toEqual([]);
      expect(comparable(diffWhole(next, previous).changes)).toEqual(
        comparable(plainDiff(body, previous, resource)),
      );
    }),
    { numRuns: 500 },
  );
});

test("a snapshot rebuilt from its stubs, in any order, is the same", () => {
  fc.assert(
    fc.property(listPair, ({ resource, previous, next }) => {
      const rebuilt = snapshotOfStubs(resource, [...parseSnapshot(resource, previous).stubs()].toReversed());
      expect(comparable(diffWhole(rebuilt, next).changes)).toEqual(
        comparable(plainDiff(previous, next, resource)),
      );
    }),
    { numRuns: 300 },
  );
});

test("it may be cut into slices of any size", () => {
  fc.assert(
    fc.property(listPair, fc.nat({ max: 200 }), ({ resource, previous, next }, sliceBytes) => {
      const work = diffSnapshot(parseSnapshot(resource, previous), next, { sliceBytes });
      let step = work.next();
      while (step.done !== true) step = work.next();
      expect(comparable(step.value.changes)).toEqual(comparable(plainDiff(previous, next, resource)));
    }),
    { numRuns: 300 },
  );
});

test("a body cut anywhere is refused, and so is one with something behind it", () => {
  fc.assert(
    fc.property(listPair, ({ resource, previous, next: body }) => {
      const snapshot = parseSnapshot(resource, previous);
      for (let length = 1; length < body.length; length++) {
        const cut = body.subarray(0, length);
        expect(() => parseSnapshot(resource, cut)).toThrow(MalformedList);
        expect(() => diffWhole(snapshot, cut)).toThrow(MalformedList);
      }
      const long = Buffer.concat([body, Buffer.from("]")]);
      expect(() => parseSnapshot(resource, long)).toThrow(MalformedList);
      expect(() => diffWhole(snapshot, long)).toThrow(MalformedList);
    }),
    { numRuns: 10 },
  );
});
