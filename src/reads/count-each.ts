import type { FeedLog, HistoryFacts, HistoryScan } from "../feed/log.ts";
import type { Window } from "../publishers/pages/windows-back.ts";
import type { Access } from "../publishers/selection/access.ts";
import { createEventFilter, createFactsFilter } from "../publishers/selection/event-filter.ts";
import { narrowingOf } from "../publishers/selection/narrowing.ts";
import { readInSlices, type ReadTask } from "../publishers/work/read-scheduler.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import type { Buckets } from "./buckets.ts";
import type { Tally } from "./tally.ts";

/** What is counted, from where, and for whom. */
export interface CountParts {
  readonly log: FeedLog;
  readonly task: ReadTask;
  readonly request: CountsRequest;
  readonly access: Access;
  readonly buckets: Buckets;
  readonly tally: Tally;
}

/** Counts the events of a window, in steps: after each the sequence from which on all are counted. */
export type CountWindow = (window: Window) => AsyncGenerator<number>;

/** One event after the other. `narrowing`: what to look at; what passes is decided for each. */
export function countEach(
  { log, task, request: { conditions }, access, tally }: CountParts,
  narrowing: Partial<HistoryScan> = narrowingOf(conditions, access),
): CountWindow {
  const mayPass = createFactsFilter(conditions, access);
  const passes = createEventFilter(conditions, access);
  const isReadToo = conditions.filters !== undefined;
  const includes = (facts: HistoryFacts) => {
    if (!mayPass(facts)) return false;
    if (!isReadToo) tally.add(facts);
    return isReadToo;
  };
  return async function* (window) {
    const scan = log.scanHistory({ ...narrowing, ...window, order: "newest-first", includes });
    for await (const batch of readInSlices(task, scan)) {
      for (const entry of batch) {
        if (task.isOver) await task.nextSlice();
        if (passes(entry)) tally.add(entry);
        yield entry.sequence;
      }
    }
  };
}
