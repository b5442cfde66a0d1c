import { describe, expect, test } from "vitest";
import { currentFence, inherit, type ScopeRecord } from "../../src/feed/claims.ts";
import type { Scope } from "../../src/schemas/scope.ts";

const scope = (namespace: string): Scope => ({ resource: "jobs", namespace });

/** A scope claimed under `fence`, polled under `polled` up to `index` (not at all where null). */
function known(
  namespace: string,
  fence: number,
  polled: [fence: number, index: string, nomadEpoch?: number, count?: number] | null,
) {
  const [checkpointFence, index, nomadEpoch, count = 1] = polled ?? [0, "0"];
  const checkpoint = { index, nomadEpoch: nomadEpoch ?? 0, count, observedAt: "2026-08-22T10:00:00Z" };
  const record: ScopeRecord = {
    scope: scope(namespace),
    fence,
    baselined: polled !== null,
    checkpoint: polled === null ? null : checkpoint,
    checkpointFence,
  };
  return record;
}

describe("what a claim inherits", () => {
  test("nothing where nothing was polled", () => {
    const heritage = inherit(scope("default"), [known("default", 1, null), known("prod", 2, [2, "7"])]);
    expect(heritage).toEqual({ baselined: false, checkpoint: null, borrowed: false });
  });

  test.each([
    [
      "its own, when * was polled before it",
      [known("*", 1, [1, "50"]), known("default", 2, [2, "60"])],
      "60",
      false,
    ],
    [
      "that of *, when it was polled later",
      [known("default", 1, [1, "60"]), known("*", 2, [2, "50"])],
      "50",
      true,
    ],
  ])("a namespace takes %s", (_which, records, index, borrowed) => {
    expect(inherit(scope("default"), records)).toMatchObject({ checkpoint: { index }, borrowed });
  });

  test("* takes the lowest index as a number, and the latest Nomad epoch", () => {
    const records = [known("a", 1, [1, "100"]), known("b", 2, [2, "99"])];
    expect(inherit(scope("*"), records)).toMatchObject({ checkpoint: { index: "99" }, borrowed: true });
    const restored = [...records, known("c", 3, [3, "5", 1])];
    expect(inherit(scope("*"), restored)).toMatchObject({ checkpoint: { index: "5", nomadEpoch: 1 } });
  });

  test("* leaves out namespaces that hold nothing: nobody may ever poll them again", () => {
    const records = [known("gone", 1, [1, "3", 0, 0]), known("a", 2, [2, "100", 1])];
    expect(inherit(scope("*"), records)).toMatchObject({ checkpoint: { index: "100", nomadEpoch: 1 } });
    const [gone] = records;
    expect(inherit(scope("*"), gone === undefined ? [] : [gone])).toEqual({
      baselined: true,
      checkpoint: null,
      borrowed: false,
    });
  });

  test("* ignores namespaces it has polled since", () => {
    const records = [known("a", 1, [1, "10"]), known("*", 2, [2, "50"]), known("b", 3, [3, "70"])];
    expect(inherit(scope("*"), records)).toMatchObject({ checkpoint: { index: "50" }, borrowed: true });
  });
});

test("the current fence is the highest of all that overlap", () => {
  const records = [known("a", 1, null), known("b", 5, null), known("*", 3, null)];
  expect(currentFence(scope("a"), records)).toBe(3);
  expect(currentFence(scope("b"), records)).toBe(5);
  expect(currentFence(scope("*"), records)).toBe(5);
  expect(currentFence({ resource: "nodes", namespace: "-" }, records)).toBe(0);
});
