import type { ReadTask } from "../work/read-scheduler.ts";

const FIRST_EVENTS = 1000;
const LAST_EVENTS = 100_000;
const QUICK_MS = 20;

/** Sequences between which something lies, both exclusive. */
export interface Window {
  readonly after: number;
  readonly before: number;
}

/**
 * A range of the log in windows, the newest first: of one that was looked at whole it is known how far one got, whatever
 * was in it. They grow as long as there is little to do in them.
 */
export function* windowsBack(task: Pick<ReadTask, "workedMs">, { after: end, before }: Window) {
  let events = FIRST_EVENTS;
  while (before - end > 1) {
    const beganMs = task.workedMs;
    const after = Math.max(end, before - 1 - events);
    yield { after, before };
    before = after + 1;
    if (task.workedMs - beganMs < QUICK_MS) events = Math.min(events * 4, LAST_EVENTS);
  }
}
