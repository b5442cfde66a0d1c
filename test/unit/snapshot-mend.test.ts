import { describe, expect, test } from "vitest";

import { RESOURCES } from "../../src/schemas/resources.ts";
import { MalformedList } from "../../src/snapshots/errors.ts";
import { diffSnapshot, diffWhole, parseSnapshot } from "../../src/snapshots/snapshot.ts";
import { bodyOf, emptySnapshot } from "../support/list-fixtures.ts";

const { evaluations, jobs, nodes } = RESOURCES;

describe("a list with scores that JSON has no number for", () => {
  const evaluation = (id: string, score: string, status = "complete"): string =>
    `{"ID":"${id}","Namespace":"default","Status":"${status}","FailedTGAllocs":{"web":{"ScoreMetaData":[{"NormScore":${score},"Scores":{"binpack":${score},"-Inf, NaN":1}}]}},"ModifyIndex":7}`;

  test.each(["-Inf", "+Inf", "NaN"])("is read, %s as null, and says of which objects", (score) => {
    const body = bodyOf([evaluation("a", "0.5"), evaluation("b", score), evaluation("c", "-1.5")]);
    const first = diffWhole(emptySnapshot(evaluations), body);
    expect(first.changes.map(({ op, ref }) => `${op} ${ref.key}`)).toEqual([
      "create a",
      "create b",
      "create c",
    ]);
    expect(first.nonNumbers).toEqual([{ resource: "evaluations", namespace: "default", key: "b" }]);
    expect(first.changes[1]?.after?.bytes.toString()).toBe(evaluation("b", "null"));
    expect(parseSnapshot(evaluations, body).count).toBe(3);

    const again = diffWhole(first.next, Buffer.from(body));
    expect(again.changes).toEqual([]);
    expect(again.nonNumbers).toHaveLength(1);

    const moved = bodyOf([evaluation("a", "0.5", "blocked"), evaluation("b", score, "failed")]);
    const { changes } = diffWhole(again.next, moved);
    expect(changes.map(({ op, ref }) => `${op} ${ref.key}`)).toEqual(["update a", "update b", "delete c"]);
    expect(changes[1]?.before?.bytes.toString()).toBe(evaluation("b", "null"));
  });

  test("says nothing of those that are gone, and finds a score that became a number", () => {
    const { next } = diffWhole(emptySnapshot(evaluations), bodyOf([evaluation("a", "-Inf")]));
    const { changes, nonNumbers } = diffWhole(next, bodyOf([evaluation("a", "1234")]));
    expect(changes.map(({ op }) => op)).toEqual(["update"]);
    expect(nonNumbers).toEqual([]);
  });

  test.each(["-Infinity", "Inf", "NaNs", "nan", "+1", "-In"])(
    "is refused with %s, which Nomad never wrote",
    (score) => {
      expect(() => diffWhole(emptySnapshot(evaluations), bodyOf([evaluation("a", score)]))).toThrow(
        MalformedList,
      );
    },
  );

  test("is refused like any other where a key is not JSON", () => {
    expect(() => diffWhole(emptySnapshot(evaluations), bodyOf([evaluation("\\u12", "NaN")]))).toThrow(
      MalformedList,
    );
  });

  test("lets others run while it is mended", () => {
    const body = bodyOf([evaluation("a", "0.5"), evaluation("b", "NaN"), evaluation("c", "NaN")]);
    const steps = diffSnapshot(emptySnapshot(evaluations), body, { sliceBytes: 1 });
    expect([...steps].length).toBeGreaterThan(5);
  });
});

describe("a list of one namespace whose jobs do not name it", () => {
  const old = (id: string, status: string): string => `{"ID":"${id}","Status":"${status}","ModifyIndex":7}`;

  test("is of the namespace that was asked for", () => {
    const origin = { namespace: "qa" };
    const { next, changes } = diffWhole(emptySnapshot(jobs), bodyOf([old("a", "running")]), origin);
    expect(changes[0]?.ref).toEqual({ resource: "jobs", namespace: "qa", key: "a" });
    expect(changes[0]?.after?.bytes.toString()).toBe(
      '{"Namespace":"qa","ID":"a","Status":"running","ModifyIndex":7}',
    );
    const later = diffWhole(next, bodyOf([old("b", "running"), old("a", "dead")]), origin);
    expect(later.changes.map(({ op, ref }) => `${op} ${ref.namespace}/${ref.key}`)).toEqual([
      "create qa/b",
      "update qa/a",
    ]);
    expect(parseSnapshot(jobs, bodyOf([old("a", "running")]), origin).count).toBe(1);
  });

  test("names it of objects with an odd number, too", () => {
    const body = bodyOf(['{"ID":"a","ModifyIndex":7,"Score":-Inf}']);
    const { nonNumbers } = diffWhole(emptySnapshot(jobs), body, { namespace: "qa" });
    expect(nonNumbers).toEqual([{ resource: "jobs", namespace: "qa", key: "a" }]);
  });

  test("goes on without a change when a newer Nomad names it", () => {
    const { next } = diffWhole(emptySnapshot(jobs), bodyOf([old("a", "running")]), { namespace: "qa" });
    const named = '{"ID":"a","Namespace":"qa","Status":"running","ModifyIndex":7}';
    expect(diffWhole(next, bodyOf([named]), { namespace: "qa" }).changes).toEqual([]);
  });

  test("is refused where several namespaces were asked for, or a name is no text", () => {
    expect(() => diffWhole(emptySnapshot(jobs), bodyOf([old("a", "running")]))).toThrow(
      /its field Namespace/,
    );
    const odd = '{"ID":"a","Namespace":null}';
    expect(() => diffWhole(emptySnapshot(jobs), bodyOf([odd]), { namespace: "qa" })).toThrow(MalformedList);
  });

  test("is no matter where objects have no namespace", () => {
    const { changes } = diffWhole(emptySnapshot(nodes), bodyOf(['{"ID":"n1"}']));
    expect(changes[0]?.after?.bytes.toString()).toBe('{"ID":"n1"}');
  });
});
