import { describe, expect, test } from "vitest";
import { diffJson } from "../../src/events/json-diff.ts";
import { applyChanges, undoChanges } from "../../packages/client/src/apply-changes.ts";
import { parseExact } from "../../src/schemas/json.ts";

const ring = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ Type: "Driver", Time: from + at }));

describe("changes", () => {
  test("are none between equals, whatever the order of members", () => {
    expect(diffJson(parseExact('{"a":1,"b":[{"c":2}]}'), parseExact('{"b":[{"c":2}],"a":1}'))).toEqual([]);
  });

  test("name what appeared without from, what vanished without to", () => {
    expect(diffJson({ a: 1, b: null }, { b: { c: 2 }, d: 3 })).toEqual([
      { path: "/a", from: 1 },
      { path: "/b", from: null, to: { c: 2 } },
      { path: "/d", to: 3 },
    ]);
  });

  test("escape names as RFC 6901 has it", () => {
    expect(diffJson({ "a/b~c": 1 }, { "a/b~c": 2 })).toEqual([{ path: "/a~1b~0c", from: 1, to: 2 }]);
  });

  test("keep the source text of numbers", () => {
    const changes = diffJson(
      parseExact('{"t":1795434687866379238}'),
      parseExact('{"t":1795434687866379239}'),
    );
    expect(JSON.stringify(changes)).toBe(
      '[{"path":"/t","from":1795434687866379238,"to":1795434687866379239}]',
    );
  });

  test("of an array that grew are its new elements", () => {
    expect(diffJson({ Events: ring(1, 2) }, { Events: ring(1, 4) })).toEqual([
      { path: "/Events/2", to: { Type: "Driver", Time: 3 } },
      { path: "/Events/3", to: { Type: "Driver", Time: 4 } },
    ]);
  });

  test("of a ring are what left at the front and what came at the end", () => {
    expect(diffJson({ Events: ring(1, 10) }, { Events: ring(3, 12) })).toEqual([
      { path: "/Events/1", from: { Type: "Driver", Time: 2 } },
      { path: "/Events/0", from: { Type: "Driver", Time: 1 } },
      { path: "/Events/8", to: { Type: "Driver", Time: 11 } },
      { path: "/Events/9", to: { Type: "Driver", Time: 12 } },
    ]);
  });

  test("of a ring that was filling up also say what left", () => {
    const changes = diffJson({ Events: ring(1, 9) }, { Events: ring(2, 11) });
    expect(changes.map(({ path }) => path)).toEqual(["/Events/0", "/Events/8", "/Events/9"]);
  });

  test("of an element in place are within it", () => {
    expect(diffJson([{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 3 }])).toEqual([{ path: "/1/a", from: 2, to: 3 }]);
  });

  test("of elements in the middle leave the ends alone", () => {
    expect(diffJson([1, 2, 3, 4], [1, 4])).toEqual([
      { path: "/2", from: 3 },
      { path: "/1", from: 2 },
    ]);
    expect(diffJson([1, 4], [1, 2, 3, 4])).toEqual([
      { path: "/1", to: 2 },
      { path: "/2", to: 3 },
    ]);
  });
});

describe("doing and undoing", () => {
  test("a task named like JavaScript's prototype is a name like any other", () => {
    const before = parseExact('{"__proto__":{"Restarts":0}}');
    const after = parseExact('{"__proto__":{"Restarts":1},"constructor":{"Restarts":0}}');
    const changes = diffJson(before, after);
    expect(JSON.stringify(applyChanges(before, changes))).toBe(JSON.stringify(after));
    expect(JSON.stringify(undoChanges(after, changes))).toBe(JSON.stringify(before));
  });

  test("changes that belong to another object are refused", () => {
    expect(() => applyChanges({}, [{ path: "/a/b", from: 1, to: 2 }])).toThrow(RangeError);
    expect(() => applyChanges({ a: [] }, [{ path: "/a/3", to: 2 }])).toThrow(RangeError);
    expect(() => applyChanges({ a: "text" }, [{ path: "/a/b", to: 2 }])).toThrow(RangeError);
    expect(() => applyChanges({ a: 1 }, [{ path: "/a", from: 2, to: 3 }])).toThrow(RangeError);
    expect(() => applyChanges({ a: 1 }, [{ path: "/a", to: 3 }])).toThrow(RangeError);
    expect(() => undoChanges({ a: 1 }, [{ path: "/a", from: 1, to: 2 }])).toThrow(RangeError);
  });
});
