import type { Workers } from "./registry.ts";

/**
 * How many of so many assignments a worker should do: as even as can be, and where that leaves some with one more,
 * those who have most now, so that as few as possible move. Who sees the same comes to the same, whoever asks.
 */
export function shareOf(worker: string, workers: Workers, assignments: number): number {
  const order = [...workers].toSorted(
    ([nameA, heldA], [nameB, heldB]) => heldB.length - heldA.length || (nameA < nameB ? -1 : 1),
  );
  const place = order.findIndex(([name]) => name === worker);
  const count = Math.max(1, order.length);
  return Math.floor(assignments / count) + (place < assignments % count ? 1 : 0);
}
