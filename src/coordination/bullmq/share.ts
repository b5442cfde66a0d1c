import type { Workers } from "./registry.ts";

/** How many duties a worker should give away, or may take, now. */
export interface Share {
  readonly surplus: number;
  readonly room: number;
}

/**
 * Spreads duties evenly over those who live, moving as few as it takes: a worker gives away what is above its share,
 * and one more where another has two less; it takes what it lacks unless somebody has less. Where something has long
 * waited to be done, evenness does not matter.
 */
export function shareOf(
  worker: string,
  workers: Workers,
  { duties, starving }: { duties: number; starving: boolean },
): Share {
  const counts = [...workers.values()].map((held) => held.length);
  const own = workers.get(worker)?.length ?? 0;
  const least = Math.min(own, ...counts);
  const even = Math.ceil(duties / Math.max(1, workers.size));
  if (starving) return { surplus: 0, room: Math.max(0, duties - own) };
  const surplus = own > even ? own - even : own - least >= 2 ? 1 : 0;
  return { surplus, room: own > least ? 0 : Math.max(0, even - own) };
}
