import { describe, expect, it } from "vitest";
import { runChaos } from "../support/chaos.ts";
import { redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  `workers that share a log in Redis, and are killed and frozen as it is${skippedBecause(missing)}`,
  () => {
    it.each([
      ["lists", 1],
      ["hinted", 2],
    ] as const)("lose nothing, repeat nothing, keep the order: %s, seed %i", async (reading, seed) => {
      const { verdict, account, restarts, faults, changes } = await runChaos({
        seed,
        reading,
        seconds: 15,
        workers: 3,
      });
      expect({ ...verdict, account }).toMatchObject({
        lost: [],
        duplicated: [],
        outOfOrder: [],
        account: [],
      });
      expect(changes).toBeGreaterThan(100);
      expect(restarts + faults).toBeGreaterThan(0);
    });
  },
);
