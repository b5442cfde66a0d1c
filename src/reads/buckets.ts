import type { FeedLog } from "../feed/log.ts";
import type { Window } from "../publishers/pages/windows-back.ts";
import type { ReadTask } from "../publishers/work/read-scheduler.ts";

/** Times that are looked up in one go. */
const AT_ONCE = 20;

/** Spans of time of the same length, each with the events that were recorded in it. */
export interface Buckets {
  readonly epoch: string;
  readonly sinceMs: number;
  readonly bucketMs: number;
  /** Of each, and of the end, the last sequence before it. */
  readonly bounds: readonly number[];
  readonly range: Window;
}

export async function bucketsOf(
  log: FeedLog,
  task: ReadTask,
  { sinceMs, untilMs, count }: { sinceMs: number; untilMs: number; count: number },
): Promise<Buckets> {
  const bucketMs = Math.ceil((untilMs - sinceMs) / count);
  const filled = Math.ceil((untilMs - sinceMs) / bucketMs);
  const times = Array.from({ length: filled }, (_, n) => sinceMs + n * bucketMs);
  times.push(untilMs);
  const bounds: number[] = [];
  for (let first = 0; first < times.length; first += AT_ONCE) {
    const some = times.slice(first, first + AT_ONCE);
    const cursors = await task.waitFor(() => Promise.all(some.map((timeMs) => log.cursorAt(timeMs))));
    bounds.push(...cursors.map(({ sequence }) => sequence));
  }
  const { epoch } = await task.waitFor(() => log.head());
  return {
    epoch,
    sinceMs,
    bucketMs,
    bounds,
    range: { after: bounds[0] ?? 0, before: (bounds.at(-1) ?? 0) + 1 },
  };
}

/** The part of each bucket that is in a window, the newest first; none is empty. */
export function* rangesIn({ bounds }: Pick<Buckets, "bounds">, { after, before }: Window): Generator<Window> {
  for (let bucket = bounds.length - 2; bucket >= 0; bucket -= 1) {
    const [begin = 0, end = 0] = bounds.slice(bucket);
    const range = { after: Math.max(begin, after), before: Math.min(end + 1, before) };
    if (range.before - range.after > 1) yield range;
  }
}

/** The bucket that an event is in, by its place in the log. */
export function bucketOf({ bounds }: Pick<Buckets, "bounds">, sequence: number): number {
  let [low, high] = [0, bounds.length - 2];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((bounds[middle] ?? 0) < sequence) low = middle;
    else high = middle - 1;
  }
  return low;
}
