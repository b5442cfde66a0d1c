import { LogUnavailable } from "../feed/errors.ts";
import type { FeedLog } from "../feed/log.ts";
import type { Change } from "../schemas/change.ts";
import type { Scope } from "../schemas/scope.ts";
import { compareWithTold, type Snapshot } from "../snapshots/snapshot.ts";
import type { Clock } from "../shared/clock.ts";
import { inSlices } from "./in-slices.ts";

/**
 * What a scope's list holds and the feed has not told: the whole list beside the whole state in the log, batch by
 * batch, without the shortcuts that polls take. Undefined where the log cannot be read at the moment.
 */
export async function missedChanges(
  log: FeedLog,
  scope: Scope,
  list: Snapshot,
  pause: { clock: Clock; onMove: () => void; signal: AbortSignal },
): Promise<readonly Change[] | undefined> {
  const comparison = compareWithTold(list);
  try {
    for await (const batch of log.loadState(scope)) {
      await inSlices(comparison.add(batch), pause);
      await pause.clock.yield();
    }
  } catch (error) {
    if (error instanceof LogUnavailable) return undefined;
    throw error;
  }
  return inSlices(comparison.changes(), pause);
}
