/** What happened lately: `[time in ms, how often]`, oldest first. */
export type Window = [at: number, count: number][];

/** Entries kept; beyond that the two oldest become one, dated as the later of them. */
const MAX_ENTRIES = 64;

export function record(window: Window, at: number, count: number): void {
  if (count <= 0) return;
  const last = window.at(-1);
  if (last !== undefined && last[0] >= at) last[1] += count;
  else window.push([at, count]);
  const [first, second] = window;
  if (window.length <= MAX_ENTRIES || first === undefined || second === undefined) return;
  window.splice(0, 2, [second[0], first[1] + second[1]]);
}

/** Forgets what is as old as `before` or older. */
export function forget(window: Window, before: number): void {
  const kept = window.findIndex(([at]) => at > before);
  window.splice(0, kept === -1 ? window.length : kept);
}

/** Nothing in it happened later than at `now`. */
export function dateBack(window: Window, now: number): void {
  for (const entry of window) entry[0] = Math.min(entry[0], now);
}

export interface Counted {
  readonly count: number;
  /** When the oldest of what was counted is no longer within. */
  readonly until: number;
}

/** What lies within the last `withinMs` of `now`, in all these windows. */
export function within(windows: readonly Window[], now: number, withinMs: number): Counted {
  let [count, oldest] = [0, Number.POSITIVE_INFINITY];
  for (const [at, times] of windows.flat()) {
    if (at <= now - withinMs) continue;
    count += times;
    oldest = Math.min(oldest, at);
  }
  return { count, until: oldest + withinMs };
}
