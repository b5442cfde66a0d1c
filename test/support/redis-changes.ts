import { expect } from "vitest";
import type { Claim, Commit, FeedLog } from "../../src/feed/log.ts";
import { objectChange } from "./drafts.ts";
import { until } from "./until.ts";

export const JOBS = { resource: "jobs", namespace: "default" } as const;

/** Commit number `number` of the claim's scope: one changed job and its event. */
export function change(claim: Claim, number: number, key = `job-${number}`): Commit {
  const { event, state } = objectChange({ ...JOBS, key }, String(number));
  return {
    scope: claim.scope,
    fence: claim.fence,
    expectedRev: claim.rev + number - 1,
    commitId: `${claim.fence}.${number}`,
    events: [event],
    state: [state],
  };
}

/** Why the log does not take the commit, once it can be reached. */
export function refusalOf(log: FeedLog, commit: Commit): Promise<unknown> {
  return until("the log answers", () =>
    log.commit(commit).catch((error: Error & { code: string }) => error.code !== "LOG_UNAVAILABLE" && error),
  );
}

/** What the feed says of its epochs. */
export async function epochEvents(
  log: FeedLog,
): Promise<{ sequence: number; previous: string | null; reason: string }[]> {
  const { epoch, floor } = await log.head();
  const entries = await log.read({ epoch, sequence: floor }, { limit: 1000 });
  return entries
    .filter(({ type }) => type === "nomad.feed.epoch")
    .map(({ sequence, json }) => {
      const { data } = JSON.parse(json) as { data: { previous: string; current: string; reason: string } };
      expect(data.current).toBe(epoch);
      return { sequence, previous: data.previous, reason: data.reason };
    });
}
