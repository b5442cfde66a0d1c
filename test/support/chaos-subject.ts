import type { Random } from "../../src/simulator/random.ts";
import type { SeenEvent } from "./feed-check.ts";

/** What is tried: a feed, and what can be done to it. */
export interface ChaosSubject {
  /** Of a hundred things that happen, how many happen to it. */
  readonly harmPercent: number;
  /** Processes that were ended and started again. */
  readonly restarts: number;
  readonly takeoversMs: readonly number[];
  /** Starts it, and waits until it has read everything once. */
  start(nomadAddr: string): Promise<void>;
  /** Does something bad to it. Answers what. */
  harm(random: Random): Promise<string>;
  /** Lets everything that was harmed run again. */
  calm(): Promise<void>;
  /** The whole log; rejects while it cannot be read. */
  events(): Promise<SeenEvent[]>;
  close(): Promise<void>;
}

/** Flags of every bridge under test. */
export const CHAOS_FLAGS = [
  "--baseline",
  "events",
  "--max-event-bytes",
  "10MiB",
  // A restore leaves queries asleep until their wait ends: keep it short.
  "--wait",
  "1s",
  "--nomad-compression",
  "gzip",
] as const;
