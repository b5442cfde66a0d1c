import { describe, expect, it } from "vitest";
import { runAlertChaos } from "../support/alert-chaos.ts";
import { redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

const missing = redisMissing();

describe.each([
  ["one, with the log in a file", 1, undefined],
  ["two workers, with the log in Redis", 2, missing],
])("who makes alerts, and is killed at any time: %s", (_, workers, reason) => {
  it.skipIf(reason !== undefined)(
    `says at every quiet moment what is true, and has told what began and what ended${skippedBecause(reason)}`,
    async () => {
      const options = { seed: workers, workers, seconds: 0, quietMoments: 3 };
      const { kills, fired, messages, ...verdict } = await runAlertChaos(options);
      expect(verdict).toEqual({ quietMoments: 3, missing: [], invented: [], wrong: [] });
      expect(kills).toBeGreaterThan(4);
      expect(fired).toBeGreaterThan(2);
      expect(messages).toBeGreaterThan(2);
    },
  );
});
