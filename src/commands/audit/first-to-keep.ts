import { recordedTimeOf } from "../../publishers/delivery/outgoing.ts";
import { contentOf } from "./entry-order.ts";
import type { StoredTree } from "./stored-tree.ts";

/**
 * Index of the first bundle with an event that was recorded at a time or after it; the newest one that has an event
 * where there is none. So the first that is kept tells of its epoch, which the writer has to find.
 */
export async function firstToKeep(tree: StoredTree, beforeMs: number, signal: AbortSignal): Promise<number> {
  const first = await tree.firstBundle();
  let lastWithEvents = first;
  for (let index = first; index < tree.bundles; index++) {
    signal.throwIfAborted();
    const { entries } = await tree.bundle(index);
    const times = entries.map(recordedAtMs).filter((ms) => ms !== undefined);
    if (times.some((ms) => !(ms < beforeMs))) return index;
    if (times.length > 0) lastWithEvents = index;
  }
  return lastWithEvents;
}

/** Undefined of a mark. NaN of an event that does not say, which stays. */
function recordedAtMs(entry: Buffer): number | undefined {
  const time = recordedTimeOf(entry.toString("utf8"));
  if (time !== null) return Date.parse(time);
  return contentOf(entry).kind === "mark" ? undefined : Number.NaN;
}
