import { expect, test } from "vitest";

import { RESOURCES, CORE_TYPES, type ResourceType } from "../../src/schemas/resources.ts";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { diffWhole, type Snapshot } from "../../src/snapshots/snapshot.ts";
import { comparable, emptySnapshot, plainDiff } from "../support/list-fixtures.ts";

const POLLS = 12;

test.each([1, 2, 3])(
  "finds what the plain diff finds in the lists of a cluster at work (seed %i)",
  async (seed) => {
    const simulator = createSimulator({ seed, allocations: 150, namespaces: ["qa"] });
    const url = await simulator.listen();
    try {
      const known = new Map<ResourceType, { snapshot: Snapshot; body: Buffer }>(
        CORE_TYPES.map((type) => [
          type,
          { snapshot: emptySnapshot(RESOURCES[type]), body: Buffer.from("[]") },
        ]),
      );
      const cleared = new Map<ResourceType, number>();
      let changes = 0;
      for (let poll = 0; poll < POLLS; poll++) {
        for (const type of CORE_TYPES) {
          const before = known.get(type) as { snapshot: Snapshot; body: Buffer };
          const body = await list(url, type);
          const result = diffWhole(before.snapshot, body);
          expect(comparable(result.changes)).toEqual(
            comparable(plainDiff(before.body, body, RESOURCES[type])),
          );
          known.set(type, { snapshot: result.next, body });
          changes += poll === 0 ? 0 : result.changes.length;
          cleared.set(type, (cleared.get(type) ?? 0) + result.stats.cleared);
        }
        simulator.churn(poll);
      }
      expect(changes).toBeGreaterThan(0);
      expect(cleared.get("nodes")).toBeGreaterThan(0);
      expect(cleared.get("allocations")).toBeGreaterThan(0);
    } finally {
      await simulator.close();
    }
  },
);

async function list(url: string, type: ResourceType): Promise<Buffer> {
  const response = await fetch(`${url}${RESOURCES[type].path}?namespace=*`);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}
