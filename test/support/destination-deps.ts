import type { DestinationDeps } from "../../src/publishers/destination-deps.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";

/** What a destination is given in a test; nothing is behind a reference. */
export function destinationDeps(given: Partial<DestinationDeps> = {}): DestinationDeps {
  return {
    name: "tested",
    clock: systemClock,
    logger: silentLogger(),
    random: Math.random,
    source: "nomad://prod/global",
    readSecret: (reference) => {
      throw new Error(`nothing is behind ${reference}`);
    },
    stdout: { write: (_data, done) => done() },
    ...given,
  };
}
