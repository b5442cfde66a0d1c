import { describe, expect, it } from "vitest";
import { runChaos } from "../support/chaos.ts";

const SEEDS = Array.from({ length: 12 }, (_, n) => [n % 2 === 0 ? "lists" : "hinted", n + 1] as const);

describe("a bridge that is killed, stopped and lied to at random", () => {
  it.concurrent.each(SEEDS)(
    "loses nothing, repeats nothing, keeps the order: %s, seed %i",
    async (reading, seed) => {
      const { verdict, account, restarts, faults, changes } = await runChaos({
        seed,
        reading,
        seconds: 3,
        allocations: 100,
      });
      expect({ ...verdict, account }).toMatchObject({
        lost: [],
        duplicated: [],
        outOfOrder: [],
        account: [],
      });
      expect(changes).toBeGreaterThan(100);
      expect(restarts + faults).toBeGreaterThan(0);
    },
  );
});
