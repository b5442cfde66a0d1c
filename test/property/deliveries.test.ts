import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../packages/nomad-simulator/src/random.ts";
import { runDeliveryChaos, type ChaosStep } from "../support/delivery-chaos.ts";

const step: fc.Arbitrary<ChaosStep> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      subjects: fc.array(fc.nat(6), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(8000) }) },
  ...(["kill", "replace", "restart", "away", "back"] as const).map((what) => ({
    weight: 1,
    arbitrary: fc.record({ do: fc.constant(what) }),
  })),
);

const delivery = fc.record({
  ordering: fc.constantFrom("strict" as const, "per-subject" as const),
  inFlight: fc.integer({ min: 1, max: 5 }),
  batch: fc.record({
    maxEvents: fc.integer({ min: 1, max: 9 }),
    maxBytes: fc.constantFrom(500, 65_536),
    maxAgeMs: fc.constantFrom(0, 500),
  }),
});

const NOTHING_WRONG = { lost: [], outOfOrder: [], wronglyParked: [], wentBack: [] };

it("whatever a destination answers and whoever dies: nothing is lost, order is kept, only what is poisoned is parked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      delivery,
      fc.nat(),
      async (steps, options, seed) => {
        const verdict = await runDeliveryChaos({ seed, steps, delivery: options });
        const { lost, outOfOrder, wronglyParked, wentBack } = verdict;
        assert.deepEqual({ lost, outOfOrder, wronglyParked, wentBack }, NOTHING_WRONG);
      },
    ),
    { numRuns: 25 },
  );
});

describe("deliveries while everything fails", () => {
  it.each(Array.from({ length: 20 }, (_, n) => n + 1))(
    "lose nothing, keep the order: seed %i",
    async (seed) => {
      const random = createRandom(seed);
      const steps = Array.from({ length: 60 }, () => randomStep(() => random.next()));
      const batch = { maxEvents: random.between(1, 8), maxBytes: 65_536, maxAgeMs: 0 };
      const verdict = await runDeliveryChaos({ seed, steps, delivery: { inFlight: 4, batch } });
      expect(verdict).toMatchObject({ ...NOTHING_WRONG, parked: verdict.poisoned });
      expect(verdict.delivered).toBeGreaterThan(20);
    },
  );
});

function randomStep(random: () => number): ChaosStep {
  const choice = random();
  if (choice < 0.4) {
    const subjects = Array.from({ length: 1 + Math.floor(random() * 8) }, () => Math.floor(random() * 8));
    return { do: "commit", subjects };
  }
  if (choice < 0.75) return { do: "wait", ms: Math.floor(random() * 5000) };
  const others = ["kill", "replace", "restart", "away", "back", "back"] as const;
  return { do: others[Math.floor(random() * others.length)] ?? "back" };
}
