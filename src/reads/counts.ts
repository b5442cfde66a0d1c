import type { FeedLog, HistoryFacts } from "../feed/log.ts";
import { windowsBack } from "../publishers/pages/windows-back.ts";
import type { Access } from "../publishers/selection/access.ts";
import { createEventFilter, createFactsFilter } from "../publishers/selection/event-filter.ts";
import { narrowingOf } from "../publishers/selection/narrowing.ts";
import { readInSlices, type ReadTask } from "../publishers/work/read-scheduler.ts";
import type { Counts } from "../schemas/counts-schema.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import { InvalidParameter } from "../schemas/subscription-schema.ts";
import { bucketOf, bucketsOf } from "./buckets.ts";
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
 * stops where it has cost enough. Reads no event unless an expression asks for it.
 * @throws InvalidParameter where the time begins after its end.
 */
export async function countEvents(
  log: FeedLog,
  task: ReadTask,
  { request, access }: { request: CountsRequest; access: Access },
): Promise<Counts> {
  const { conditions, by } = request;
  const range = await task.waitFor(() => rangeOf(log, request));
  const buckets = await bucketsOf(log, task, { ...range, count: request.buckets });
  const tally = new Tally(buckets, by);
  const mayPass = createFactsFilter(conditions, access);
  const passes = createEventFilter(conditions, access);
  const isReadToo = conditions.filters !== undefined;
  const includes = (facts: HistoryFacts) => {
    if (!mayPass(facts)) return false;
    if (!isReadToo) tally.add(facts);
    return isReadToo;
  };
  const narrowing = narrowingOf(conditions, access);
  const reached = await (async () => {
    for (const { after, before } of windowsBack(task, buckets.range)) {
      const scan = log.scanHistory({ ...narrowing, order: "newest-first", after, before, includes });
      for await (const batch of readInSlices(task, scan)) {
        for (const entry of batch) {
          if (task.isOver) await task.nextSlice();
          if (passes(entry)) tally.add(entry);
          if (task.workedMs > MAX_WORK_MS) return entry.sequence;
        }
      }
      if (task.workedMs > MAX_WORK_MS) return after + 1;
    }
    return undefined;
  })();
  const isLast = reached === undefined || reached - buckets.range.after <= 1;
  // The first bucket that is whole.
  const wholeMs = range.sinceMs + (bucketOf(buckets, reached ?? 0) + 1) * buckets.bucketMs;
  return {
    since: timeText(range.sinceMs),
    until: timeText(range.untilMs),
    complete: isLast && !range.isCut,
    from: timeText(isLast ? range.fromMs : Math.min(wholeMs, range.untilMs)),
    ...tally.counts(),
  };
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
