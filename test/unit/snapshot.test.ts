import { describe, expect, test } from "vitest";

import { RESOURCES } from "../../src/schemas/resources.ts";
import { MalformedList } from "../../src/snapshots/errors.ts";
import {
  diffSnapshot,
  diffWhole,
  parseInSlices,
  parseSnapshot,
  retainObjects,
} from "../../src/snapshots/snapshot.ts";
import { bodyOf, emptySnapshot, snapshotOfStubs } from "../support/list-fixtures.ts";

const { allocations, jobs, nodes } = RESOURCES;

function allocation(id: string, more = '"ClientStatus":"running"', namespace = "default"): string {
  return `{"ID":"${id}","Namespace":"${namespace}",${more},"ModifyIndex":7}`;
}

function ref(key: string, namespace = "default") {
  return { resource: "allocations", namespace, key } as const;
}

/** With memory of its own, as a body from the network has. */
function unpooled(body: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
}

describe("a snapshot", () => {
  const a = allocation("a");
  const b = allocation("b", '"ModifyTime":1795434687866379238');
  const snapshot = parseSnapshot(allocations, bodyOf([a, b]));

  test("tells its objects by their refs, with the very bytes Nomad sent", () => {
    expect(snapshot.count).toBe(2);
    expect([...snapshot.refs()]).toEqual([ref("a"), ref("b")]);
    expect([...snapshot.stubs()].map(String)).toEqual([a, b]);
    expect(snapshot.get(ref("b"))?.bytes.toString()).toBe(b);
    expect(JSON.stringify(snapshot.get(ref("b"))?.value["ModifyTime"])).toBe("1795434687866379238");
  });

  test("does not know what it does not hold", () => {
    expect(snapshot.get(ref("c"))).toBeUndefined();
    expect(snapshot.get(ref("a", "qa"))).toBeUndefined();
    expect(snapshot.get({ resource: "nodes", namespace: "-", key: "a" })).toBeUndefined();
  });

  test("knows an object whose key is written with escapes", () => {
    const stub = String.raw`{"ID":"a\"b\u003cc\\","Namespace":"d\u00e9f","ModifyIndex":1}`;
    const found = parseSnapshot(jobs, bodyOf([stub])).get({
      resource: "jobs",
      namespace: "déf",
      key: 'a"b<c\\',
    });
    expect(found?.bytes.toString()).toBe(stub);
  });

  test("tells objects of the same key in two namespaces apart", () => {
    const both = parseSnapshot(allocations, bodyOf([allocation("a"), allocation("a", '"x":1', "qa")]));
    expect(both.get(ref("a", "qa"))?.value["x"]).toBe(1);
  });

  test("of a cluster-wide resource has no namespace", () => {
    const found = [...parseSnapshot(nodes, bodyOf(['{"ID":"n1","Status":"ready"}'])).refs()];
    expect(found).toEqual([{ resource: "nodes", namespace: "-", key: "n1" }]);
  });

  test.each(["", "[]", "null", " \n", " [ ] ", "null\n"])("of %j is empty", (text) => {
    expect(parseSnapshot(allocations, Buffer.from(text)).count).toBe(0);
    expect(diffWhole(snapshot, Buffer.from(text)).changes.map(({ op }) => op)).toEqual(["delete", "delete"]);
  });

  test("gives stubs that do not keep the list in memory", () => {
    const body = unpooled(bodyOf([a, b]));
    expect(parseSnapshot(allocations, body).get(ref("a"))?.bytes.buffer).not.toBe(body.buffer);
  });
});

describe("a malformed list", () => {
  const good = allocation("a");
  test.each([
    ["an object", "{}", /expected an array/],
    ["an error text", "rpc error: EOF", /expected an array/],
    ["cut in a string", `[${good.slice(0, 9)}`, /ends too early/],
    ["cut after an element", `[${good}`, /ends too early/],
    ["cut in null", "nul", /expected an array/],
    ["two lists", `[${good}][]`, /something follows the list/],
    ["text behind null", "null,", /something follows the list/],
    ["an element that is no object", `[${good},7]`, /expected an object/],
    ["a comma too many", `[${good},]`, /expected an object/],
    ["a comma too few", `[${good}${allocation("b")}]`, /expected , or \]/],
    ["an object without a key", '[{"Namespace":"default"}]', /its field ID/],
    ["an object without a namespace", '[{"ID":"a"}]', /its field Namespace/],
    ["an empty object", "[{}]", /its field ID/],
    ["a key that is no text", '[{"ID":7,"Namespace":"default"}]', /its field ID/],
    ["a key deeper down only", '[{"Namespace":"default","x":{"ID":"a"}}]', /its field ID/],
    ["a member without a value", '[{"ID":"a","Namespace":}]', /expected a value/],
    ["a misspelt word", '[{"ID":"a","Namespace":"x","y":nuli}]', /expected a value/],
    ["an unknown word", '[{"ID":"a","Namespace":"x","y":nil}]', /expected a value/],
    ["brackets that do not pair", '[{"ID":"a","Namespace":"x","y":[1}]}]', /expected , or the end/],
    ["an object twice", `[${good},${allocation("b")},${allocation("a", '"x":1')}]`, /twice/],
  ])("is refused: %s", (_what, text, problem) => {
    const before = parseSnapshot(allocations, bodyOf([good, allocation("b")]));
    for (const attempt of [
      () => parseSnapshot(allocations, Buffer.from(text)),
      () => diffWhole(before, Buffer.from(text)),
      () => diffWhole(emptySnapshot(allocations), Buffer.from(text)),
    ]) {
      expect(attempt).toThrow(MalformedList);
      expect(attempt).toThrow(problem);
      expect(attempt).toThrow(expect.objectContaining({ code: "MALFORMED_LIST" }));
    }
  });

  test("is refused where an unchanged object comes twice", () => {
    const before = parseSnapshot(allocations, bodyOf([good, allocation("b")]));
    expect(() => diffWhole(before, bodyOf([good, allocation("b"), good]))).toThrow(MalformedList);
    expect(() => diffWhole(before, bodyOf([good, good]))).toThrow(MalformedList);
  });

  test("is refused where a changed object's text is not JSON", () => {
    const before = parseSnapshot(allocations, bodyOf([good]));
    expect(() => diffWhole(before, bodyOf([allocation("a", '"x":1.2.3')]))).toThrow(MalformedList);
  });
});

describe("a diff", () => {
  const texts = ["a", "b", "c", "d", "e"].map((id) => allocation(id));
  const before = parseSnapshot(allocations, bodyOf(texts));

  test("finds creates, updates and deletes, deletes last", () => {
    const next = [
      allocation("a0"),
      ...texts.slice(1, 3),
      allocation("d", '"ClientStatus":"failed"'),
      texts[4] as string,
    ];
    const { changes, stats } = diffWhole(before, bodyOf(next));
    expect(changes.map(({ op, ref: { key } }) => `${op} ${key}`)).toEqual([
      "create a0",
      "update d",
      "delete a",
    ]);
    expect(changes[1]?.before?.value["ClientStatus"]).toBe("running");
    expect(changes[1]?.after?.value["ClientStatus"]).toBe("failed");
    expect(stats.elements).toBe(5);
  });

  test("takes no notice of the list's order, its white space, nor of the order of members", () => {
    const spaced = `[ ${texts.toReversed().join(" ,\n")} ]\n`;
    expect(diffWhole(before, Buffer.from(spaced)).changes).toEqual([]);
    const written = texts.map((text) => JSON.stringify(JSON.parse(text), null, 2));
    expect(diffWhole(before, bodyOf(written)).changes).toEqual([]);
    const shuffled = bodyOf([`{"ModifyIndex":7,${(texts[0] as string).slice(1, -17)}}`, ...texts.slice(1)]);
    const { changes, stats } = diffWhole(before, shuffled);
    expect(changes).toEqual([]);
    expect(stats).toMatchObject({ cleared: 1, parsed: 0 });
  });

  test("parses nothing where nothing differs", () => {
    const { stats } = diffWhole(before, bodyOf(texts));
    expect(stats).toEqual({ elements: 5, skippedBytes: texts.join("").length + 4, parsed: 0, cleared: 0 });
  });

  test.each([
    ["values swapped between members", '"x":{"a":"1","b":"2"}', '"x":{"a":"2","b":"1"}'],
    ["values swapped between objects", '"x":{"t":{"s":1},"u":{"s":2}}', '"x":{"t":{"s":2},"u":{"s":1}}'],
    ["items swapped", '"x":[1,2]', '"x":[2,1]'],
    ["items swapped between objects of an array", '"x":[{"a":1},{"a":2}]', '"x":[{"a":2},{"a":1}]'],
    ["a number for its text", '"x":12,"y":"3"', '"x":"3","y":12'],
    ["a name's letter for a value's", '"a1":2', '"a":12'],
    ["one in nanoseconds", '"x":1795434687866379238', '"x":1795434687866379239'],
  ])("sees %s though length and index stay", (_what, old, fresh) => {
    const { changes } = diffWhole(
      parseSnapshot(allocations, bodyOf([allocation("a", old)])),
      bodyOf([allocation("a", fresh)]),
    );
    expect(changes.map(({ op }) => op)).toEqual(["update"]);
  });

  test("keeps neither the old body nor, in its changes, the new one", () => {
    const body = unpooled(bodyOf([...texts.slice(0, 4), allocation("e", '"ClientStatus":"lost"')]));
    const { next, changes } = diffWhole(before, body);
    expect([...next.stubs()].every((stub) => stub.buffer === body.buffer)).toBe(true);
    expect(changes[0]?.after?.bytes.buffer).not.toBe(body.buffer);
  });

  test("lets others run between slices", () => {
    const body = bodyOf(texts.map((text) => text.replace("running", "pending")));
    expect([...diffSnapshot(before, body, { sliceBytes: 1 })].length).toBe(5);
    expect([...parseInSlices(allocations, body, 1)].length).toBe(5);
    expect([...diffSnapshot(before, body)].length).toBe(0);
  });
});

describe("objects retained", () => {
  const previous = parseSnapshot(allocations, bodyOf([allocation("a"), allocation("b"), allocation("c")]));

  test("are there as they were, beside the new ones", () => {
    const body = bodyOf([allocation("b", '"ClientStatus":"lost"')]);
    const next = diffWhole(previous, body).next;
    const kept = retainObjects(next, previous, [ref("c"), ref("a"), ref("c"), ref("b"), ref("never")]);
    expect([...kept.refs()].map(({ key }) => key)).toEqual(["b", "c", "a"]);
    expect([...kept.stubs()].map(String)).toEqual([
      allocation("b", '"ClientStatus":"lost"'),
      allocation("c"),
      allocation("a"),
    ]);
    expect(diffWhole(kept, body).changes.map(({ op, ref: { key } }) => `${op} ${key}`)).toEqual([
      "delete c",
      "delete a",
    ]);
    expect(parseSnapshot(allocations, bodyOf([...kept.stubs()].map(String))).count).toBe(3);
  });

  test("make a list out of an empty one", () => {
    const kept = retainObjects(emptySnapshot(allocations), previous, [ref("b"), ref("c")]);
    expect(diffWhole(kept, bodyOf([allocation("b"), allocation("c")])).changes).toEqual([]);
    expect(kept.get(ref("c"))?.bytes.toString()).toBe(allocation("c"));
  });

  test("are none where none is asked for", () => {
    const next = emptySnapshot(allocations);
    expect(retainObjects(next, previous, [])).toBe(next);
  });
});

test("a snapshot is rebuilt from stubs", () => {
  const rebuilt = snapshotOfStubs(allocations, [Buffer.from(allocation("a")), Buffer.from(allocation("b"))]);
  expect(diffWhole(rebuilt, bodyOf([allocation("b"), allocation("a")])).changes).toEqual([]);
  expect(snapshotOfStubs(allocations, []).count).toBe(0);
});
