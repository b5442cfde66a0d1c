import { expect, it } from "vitest";
import type { ReadStub } from "../../src/pollers/hints/stub-reader.ts";
import { examineStubs } from "../../src/pollers/observe-stubs.ts";
import { RESOURCES } from "../../src/schemas/resources.ts";
import { overlayBytes } from "../../src/snapshots/fold.ts";
import { diffWhole } from "../../src/snapshots/snapshot.ts";
import { bodyOf, emptySnapshot } from "../support/list-fixtures.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { TestClock } from "../support/test-clock.ts";

/** Of 10 KB. */
function allocation(id: string, rev: number): string {
  const text = "x".repeat(10_000);
  return `{"ID":"${id}","Namespace":"default","ClientStatus":"${text}","CreateIndex":5,"ModifyIndex":${rev}}`;
}

const IDS = Array.from({ length: 100 }, (_, at) => `n${100 + at}`);

/** What is known of them once so many were read. */
async function knownAfter(count: number) {
  const list = bodyOf(IDS.map((id) => allocation(id, 6)));
  const { next: snapshot } = diffWhole(emptySnapshot(RESOURCES.allocations), list, { index: 10n });
  const read = IDS.slice(0, count).map((id): ReadStub => ({
    ref: { resource: "allocations", namespace: "default", key: id },
    body: bodyOf([allocation(id, 11)]),
    isMade: false,
    index: 11n,
    soleEvent: 11n,
    readMs: 0,
  }));
  const input = {
    scope: { resource: "allocations", namespace: "default" } as const,
    known: {
      last: { snapshot, index: "10", seenIndex: "10" },
      mayWiden: false,
      borrowed: false,
      hiddenNamespaces: new Set<string>(),
      wasDeleted: async () => false,
    },
    signal: new AbortController().signal,
    onMove: () => undefined,
  };
  const { observation, doubt } = await examineStubs(new ScriptedNomad(), new TestClock(), input, read);
  expect([observation.changes.length, doubt]).toEqual([count, null]);
  return observation.next;
}

it("what was read one by one lies on top of the list, up to an eighth of it, and is a part of it then", async () => {
  const few = await knownAfter(10);
  expect(overlayBytes(few)).toBeGreaterThan(100_000);
  const many = await knownAfter(20);
  expect(overlayBytes(many)).toBe(0);
  expect([...many.stubs()].map(String)).toEqual(IDS.map((id, at) => allocation(id, at < 20 ? 11 : 6)));
});
