import { describe, expect, test } from "vitest";

import type { Change } from "../../src/schemas/change.ts";
import { RESOURCES, type ObjectRef } from "../../src/schemas/resources.ts";
import { MalformedList } from "../../src/snapshots/errors.ts";
import { foldInSlices, isFoldDue, overlayBytes } from "../../src/snapshots/fold.ts";
import {
  compareLists,
  compareWithTold,
  diffSnapshot,
  diffWhole,
  patchSnapshot,
  retainObjects,
  withObjectsOf,
  type DiffOptions,
  type PatchResult,
  type Snapshot,
} from "../../src/snapshots/snapshot.ts";
import { bodyOf, emptySnapshot, inOneGo } from "../support/list-fixtures.ts";

const { allocations, evaluations, jobs } = RESOURCES;

function allocation(id: string, status = "running"): string {
  return `{"ID":"${id}","Namespace":"default","ClientStatus":"${status}","Events":{"a":1,"b":2}}`;
}

function ref(key: string, resource: ObjectRef["resource"] = "allocations"): ObjectRef {
  return { resource, namespace: "default", key };
}

function listed(index: bigint, ...stubs: string[]): Snapshot {
  return diffWhole(emptySnapshot(allocations), bodyOf(stubs), { index }).next;
}

/** A read of one object that found this, or nothing. */
function patched(previous: Snapshot, index: bigint, key: string, text?: string): PatchResult {
  const body = bodyOf(text === undefined ? [] : [text]);
  return inOneGo(patchSnapshot(previous, [{ ref: ref(key), body, index }]));
}

function ops(changes: readonly Change[]): string[] {
  return changes.map(({ op, ref: { key } }) => `${op} ${key}`);
}

function texts(snapshot: Snapshot): string[] {
  return [...snapshot.stubs()].map(String);
}

const base = listed(10n, allocation("a"), allocation("b"), allocation("c"));

describe("a read of one object", () => {
  test("finds creates, updates and deletes", () => {
    const reads = [
      { ref: ref("a"), body: bodyOf([]), index: 11n },
      { ref: ref("b"), body: bodyOf([allocation("b", "failed")]), index: 12n },
      { ref: ref("d"), body: bodyOf([allocation("d")]), index: 13n },
      { ref: ref("e"), body: Buffer.from("null"), index: 13n },
    ];
    const { next, changes } = inOneGo(patchSnapshot(base, reads));
    expect(ops(changes)).toEqual(["delete a", "update b", "create d"]);
    expect(changes[1]?.before?.value["ClientStatus"]).toBe("running");
    expect(changes[1]?.after?.value["ClientStatus"]).toBe("failed");
    expect(texts(next)).toEqual([allocation("b", "failed"), allocation("c"), allocation("d")]);
    expect([...next.refs()].map(({ key }) => key)).toEqual(["b", "c", "d"]);
    expect(next.count).toBe(3);
    expect(next.get(ref("a"))).toBeUndefined();
    expect(next.get(ref("d"))?.bytes.toString()).toBe(allocation("d"));
    expect(texts(base)).toEqual(["a", "b", "c"].map((id) => allocation(id)));
  });

  test("is told step by step where it was read more than once", () => {
    const reads = ["pending", "running", "failed"].map((status, number) => ({
      ref: ref("d"),
      body: bodyOf([allocation("d", status)]),
      index: BigInt(11 + number),
    }));
    const { next, changes } = inOneGo(patchSnapshot(base, [...reads, reads[0] as (typeof reads)[0]]));
    expect(ops(changes)).toEqual(["create d", "update d", "update d"]);
    expect(next.get(ref("d"))?.value["ClientStatus"]).toBe("failed");
  });

  test("takes no notice of other objects whose keys begin alike", () => {
    const body = bodyOf([allocation("b2", "failed"), allocation("b", "lost"), allocation("b1")]);
    const { next, changes } = inOneGo(patchSnapshot(base, [{ ref: ref("b"), body, index: 11n }]));
    expect(ops(changes)).toEqual(["update b"]);
    expect(next.count).toBe(3);
  });

  test("is no news where only members moved, and is remembered as seen", () => {
    const moved = '{"Events":{"b":2,"a":1},"ClientStatus":"running","Namespace":"default","ID":"a"}';
    const { next, changes } = patched(base, 20n, "a", moved);
    expect(changes).toEqual([]);
    expect(overlayBytes(next)).toBe(0);
    expect(patched(next, 19n, "a", allocation("a", "pending")).changes).toEqual([]);
  });

  test("older than the list, or than another read, is passed over", () => {
    expect(patched(base, 9n, "a").changes).toEqual([]);
    const { next } = patched(base, 12n, "a", allocation("a", "failed"));
    expect(patched(next, 11n, "a", allocation("a", "pending")).changes).toEqual([]);
    expect(ops(patched(next, 12n, "a", allocation("a", "lost")).changes)).toEqual(["update a"]);
    expect(ops(patched(next, 11n, "b", allocation("b", "lost")).changes)).toEqual(["update b"]);
  });

  test("is read like a list, by objects that name no namespace and scores that are no number", () => {
    const job = diffWhole(emptySnapshot(jobs), bodyOf(['{"ID":"web","Status":"running"}']), {
      namespace: "default",
      index: 10n,
    }).next;
    const body = bodyOf(['{"ID":"web-1"}', '{"ID":"web","Status":"dead"}']);
    const read = { ref: ref("web", "jobs"), body, index: 11n };
    const { changes } = inOneGo(patchSnapshot(job, [read], { namespace: "default" }));
    expect(ops(changes)).toEqual(["update web"]);

    const score = bodyOf([
      '{"ID":"e","Namespace":"default","Score":-Inf}',
      '{"ID":"e2","Namespace":"default","Score":NaN}',
    ]);
    const odd = { ref: ref("e", "evaluations"), body: score, index: 11n };
    const found = inOneGo(patchSnapshot(emptySnapshot(evaluations), [odd, { ...odd, index: 10n }]));
    expect(found.nonNumbers).toEqual([ref("e", "evaluations")]);
    expect(found.changes[0]?.after?.value["Score"]).toBeNull();
  });

  test("that is malformed spoils all that came with it", () => {
    const reads = [
      { ref: ref("a"), body: bodyOf([]), index: 11n },
      { ref: ref("b"), body: Buffer.from('[{"ID":"b"'), index: 11n },
    ];
    expect(() => inOneGo(patchSnapshot(base, reads))).toThrow(MalformedList);
  });

  test("keeps no memory of what was read", () => {
    const body = Buffer.from(bodyOf([allocation("d")]));
    const { next } = inOneGo(patchSnapshot(base, [{ ref: ref("d"), body, index: 11n }]));
    body.fill(0);
    expect(next.get(ref("d"))?.bytes.toString()).toBe(allocation("d"));
    expect([...next.stubs()].at(-1)?.buffer.byteLength).toBe(allocation("d").length);
  });
});

describe("a list that comes after reads", () => {
  const { next: failed } = patched(base, 20n, "b", allocation("b", "failed"));
  const { next: gone } = patched(failed, 22n, "a");
  const { next: known } = patched(gone, 24n, "d", allocation("d"));

  test.each<[string, DiffOptions, readonly string[], string]>([
    ["leaves what is newer as it is known", { index: 19n }, [], "bcd"],
    ["leaves no more than is newer", { index: 21n }, ["update b"], "bcd"],
    ["has its way where it is as new", { index: 22n }, ["update b", "create a"], "abcd"],
    ["has its way where it is newer", { index: 24n }, ["update b", "create a", "delete d"], "abc"],
    ["has its way where it has no index", {}, ["update b", "create a", "delete d"], "abc"],
  ])("%s: %o", (_what, options, expected, keys) => {
    const body = bodyOf([allocation("a"), allocation("b"), allocation("c")]);
    const { next, changes } = diffWhole(known, body, options);
    expect(ops(changes)).toEqual(expected);
    expect(next.count).toBe(keys.length);
    expect([...next.refs()].map(({ key }) => key).join("")).toBe(keys);
  });

  test("finds what else differs in it, deletes last", () => {
    const body = bodyOf([allocation("b", "lost"), allocation("e")]);
    const { next, changes } = diffWhole(known, body, { index: 30n });
    expect(ops(changes)).toEqual(["update b", "create e", "delete c", "delete d"]);
    expect(changes[0]?.before?.value["ClientStatus"]).toBe("failed");
    expect(texts(next)).toEqual([allocation("b", "lost"), allocation("e")]);
    expect(overlayBytes(next)).toBe(0);
  });

  test("finds nothing where it says what is known", () => {
    const body = bodyOf([allocation("b", "failed"), allocation("c"), allocation("d")]);
    for (const index of [11n, 30n]) {
      const { next, changes } = diffWhole(known, body, { index });
      expect(changes).toEqual([]);
      expect(overlayBytes(next)).toBe(0);
    }
  });

  test("does not bring back what was found gone since", () => {
    const { next } = diffWhole(known, bodyOf([allocation("c")]), { index: 15n });
    expect(patched(next, 21n, "a", allocation("a")).changes).toEqual([]);
    expect(ops(patched(next, 23n, "a", allocation("a")).changes)).toEqual(["create a"]);
  });

  test("is held to it in slices", () => {
    const body = bodyOf([allocation("c", "lost")]);
    expect([...diffSnapshot(known, body, { index: 11n, sliceBytes: 1 })].length).toBeGreaterThan(3);
  });
});

describe("a snapshot with reads on top", () => {
  const { next: first } = patched(base, 20n, "b", allocation("b", "failed"));
  const { next: second } = patched(first, 21n, "a");
  const { next: known } = patched(second, 22n, "d", allocation("d"));

  test("is folded to one list that knows as much", () => {
    const folded = inOneGo(foldInSlices(known));
    expect(overlayBytes(known)).toBe(allocation("b", "failed").length + allocation("d").length);
    expect(overlayBytes(folded)).toBe(0);
    expect(texts(folded)).toEqual(texts(known));
    expect(folded.count).toBe(3);
    const body = bodyOf(["a", "b", "c"].map((id) => allocation(id)));
    expect(diffWhole(folded, body, { index: 19n }).changes).toEqual([]);
    expect(ops(diffWhole(folded, body, { index: 20n }).changes)).toEqual(["update b"]);
    expect(patched(folded, 20n, "a", allocation("a")).changes).toEqual([]);
    expect([...foldInSlices(known, 1)].length).toBeGreaterThan(2);
  });

  test("is held to a list that was compared before they came, folded or not", () => {
    const body = bodyOf([allocation("b", "failed"), allocation("c", "lost")]);
    const compared = inOneGo(compareLists(base, body));
    for (const snapshot of [known, inOneGo(foldInSlices(known))]) {
      const { next, changes } = diffWhole(snapshot, body, { index: 30n, compared });
      expect(ops(changes)).toEqual(["update c", "delete d"]);
      expect(texts(next)).toEqual([allocation("b", "failed"), allocation("c", "lost")]);
    }
  });

  test("is to be folded once an eighth of it lies on top", () => {
    const large = (id: string): string => allocation(id, "x".repeat(10_000));
    const ids = Array.from({ length: 100 }, (_, number) => `n${number}`);
    let snapshot = listed(10n, ...ids.map(large));
    const due = ids.findIndex((id) => {
      snapshot = patched(snapshot, 11n, id, large(id).replace("x", "y")).next;
      return isFoldDue(snapshot);
    });
    expect(due).toBe(12);
    expect(isFoldDue(inOneGo(foldInSlices(snapshot)))).toBe(false);
  });

  test("is held to what was told", () => {
    const told = ["a", "b", "c"].map((key) => ({ ref: ref(key), stub: Buffer.from(allocation(key)) }));
    const comparison = compareWithTold(known);
    inOneGo(comparison.add(told));
    expect(ops(inOneGo(comparison.changes()))).toEqual(["delete a", "update b", "create d"]);
  });

  test("retains objects, and keeps back changes", () => {
    const kept = retainObjects(known, base, [ref("a"), ref("b"), ref("never")]);
    expect(texts(kept)).toEqual([allocation("a"), ...texts(known)]);
    expect(kept.count).toBe(4);
    const held = inOneGo(withObjectsOf(known, base, [ref("b")]));
    expect(texts(held)).toEqual([allocation("b"), allocation("c"), allocation("d")]);
    expect(ops(diffWhole(held, bodyOf(texts(known)), { index: 30n }).changes)).toEqual(["update b"]);
  });
});
