import { isConfigured } from "../../schemas/assignment-schema.ts";
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

/**
 * Which of its assignments, in the order in which it got them, a worker gives away where it has too many: those whose move
 * disturbs least, and of these the ones it got last. The plan stays.
 */
export function cheapestToMove(held: readonly string[], surplus: number): string[] {
  const movable = held.filter((assignment) => assignment !== "plan");
  const dearestFirst = movable.toSorted((a, b) => costOfMoving(b) - costOfMoving(a));
  return dearestFirst.slice(Math.max(0, movable.length - surplus));
}

/**
 * With the hints all workers read whole lists; who looks after alerts next reads what was folded; a destination may get
 * again what was on its way.
 */
function costOfMoving(assignment: string): number {
  if (assignment === "hints") return 2;
  return isConfigured(assignment) ? 1 : 0;
}
