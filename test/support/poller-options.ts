import type { PollerOptions } from "../../src/pollers/poller.ts";

/** What a test of pollers does not say. */
export const POLLER_OPTIONS = {
  source: "nomad://test/global",
  owner: "test",
  waitMs: 60_000,
  consistency: "default",
  baseline: "marker",
  maxEventBytes: 65_536,
  reading: "auto",
  pollEveryMs: 20,
  fullEveryMs: 300_000,
  staleAfterMs: 30_000,
  checkpointEveryMs: 0,
  pace: { perSecond: 1000, burst: 1000 },
} as const satisfies PollerOptions;
