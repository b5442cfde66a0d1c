import type { FeedLog } from "../feed/log.ts";
import { windowsBack, type Window } from "../publishers/pages/windows-back.ts";
import type { Access } from "../publishers/selection/access.ts";
import type { ReadTask } from "../publishers/work/read-scheduler.ts";
import type { Counts } from "../schemas/counts-schema.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import { InvalidParameter } from "../schemas/subscription-schema.ts";
import { bucketOf, bucketsOf } from "./buckets.ts";
import { countEach, type CountWindow } from "./count-each.ts";
import { countKinds } from "./count-kinds.ts";
import { Tally } from "./tally.ts";

/** What one answer may cost. */
const MAX_WORK_MS = 1000;

interface Range {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** When the oldest event was recorded that the log still has of what was asked for. */
  readonly fromMs: number;
  readonly isCut: boolean;
}

/**
 * How many events there were, over time, of those that pass and that the reader may see. Counts the newest first, and
 * stops where it has cost enough. Takes an event apart only where an expression asks for it, and looks at none alone where
 * the log can count them together.
 * @throws InvalidParameter where the time begins after its end.
 */
export async function countEvents(
  log: FeedLog,
  task: ReadTask,
  { request, access }: { request: CountsRequest; access: Access },
): Promise<Counts> {
  const range = await task.waitFor(() => rangeOf(log, request));
  const buckets = await bucketsOf(log, task, { ...range, count: request.buckets });
  const tally = new Tally(buckets, request.by);
  const parts = { log, task, request, access, buckets, tally };
  const count = (await countKinds(parts)) ?? countEach(parts);
  const reached = await countBack(task, buckets.range, count);
  const isAll = reached <= buckets.range.after + 1;
  // The first bucket that is whole.
  const wholeMs = range.sinceMs + (bucketOf(buckets, reached) + 1) * buckets.bucketMs;
  return {
    since: timeText(range.sinceMs),
    until: timeText(range.untilMs),
    complete: isAll && !range.isCut,
    from: timeText(isAll ? range.fromMs : Math.min(wholeMs, range.untilMs)),
    ...tally.counts(),
  };
}

/** Answers the sequence from which on all events are counted. */
async function countBack(task: ReadTask, range: Window, count: CountWindow): Promise<number> {
  for (const window of windowsBack(task, range)) {
    for await (const reached of count(window)) if (task.workedMs > MAX_WORK_MS) return reached;
    if (task.workedMs > MAX_WORK_MS) return window.after + 1;
  }
  return range.after + 1;
}

async function rangeOf(log: FeedLog, { sinceMs, untilMs }: CountsRequest): Promise<Range> {
  const { nowMs, oldestMs } = await log.times();
  const { floor } = await log.head();
  // What was recorded in this moment is there already.
  const until = untilMs ?? nowMs + 1;
  const oldest = oldestMs ?? until;
  const since = sinceMs ?? Math.min(oldest, until - 1);
  if (since >= until) {
    const field = sinceMs === undefined ? "until" : "since";
    throw new InvalidParameter("The time to count in ends before it begins", field, ["since before until"]);
  }
  const isCut = floor > 0 && since < oldest;
  return { sinceMs: since, untilMs: until, fromMs: isCut ? Math.min(oldest, until) : since, isCut };
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
