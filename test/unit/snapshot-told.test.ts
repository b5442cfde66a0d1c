import { expect, test } from "vitest";

import type { Change } from "../../src/schemas/change.ts";
import { RESOURCES } from "../../src/schemas/resources.ts";
import { compareWithTold, parseSnapshot } from "../../src/snapshots/snapshot.ts";
import { bodyOf, inOneGo } from "../support/list-fixtures.ts";

const told = (key: string, text: string) => ({
  ref: { resource: "allocations", namespace: "default", key } as const,
  stub: Buffer.from(text),
});
const allocation = (id: string, status: string) =>
  `{"ID":"${id}","Namespace":"default","ClientStatus":"${status}","Events":{"a":1,"b":2}}`;

function differences(list: readonly string[], entries: readonly ReturnType<typeof told>[]): Change[] {
  const comparison = compareWithTold(parseSnapshot(RESOURCES.allocations, bodyOf(list)), 1);
  Array.from(comparison.add(entries.slice(0, 2)));
  Array.from(comparison.add(entries.slice(2)));
  return inOneGo(comparison.changes());
}

test("a list is held to what was told, whatever the diffs made of it", () => {
  const changes = differences(
    [allocation("a", "running"), allocation("b", "failed"), allocation("d", "pending")],
    [
      told("a", allocation("a", "running")),
      told("b", allocation("b", "running")),
      told("c", allocation("c", "lost")),
    ],
  );
  expect(changes.map(({ op, ref }) => `${op} ${ref.key}`)).toEqual(["update b", "delete c", "create d"]);
  expect(changes[0]?.before?.value["ClientStatus"]).toBe("running");
  expect(changes[0]?.after?.value["ClientStatus"]).toBe("failed");
  expect(changes[1]?.before?.value["ClientStatus"]).toBe("lost");
});

test("another order of members is no news", () => {
  const reordered = '{"Events":{"b":2,"a":1},"ClientStatus":"running","Namespace":"default","ID":"a"}';
  expect(differences([reordered], [told("a", allocation("a", "running"))])).toEqual([]);
});

test("it pauses between slices", () => {
  const texts = ["a", "b", "c"].map((id) => allocation(id, "running"));
  const comparison = compareWithTold(parseSnapshot(RESOURCES.allocations, bodyOf(texts)), 1);
  expect([...comparison.add(texts.map((text, at) => told("abc"[at] as string, text)))]).toHaveLength(3);
});
