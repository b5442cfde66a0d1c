import type { LogEntry } from "../schemas/draft.ts";
import { refOfEvent } from "../schemas/resources.ts";
import type { FirstChange, FirstChanges, HistoryScan } from "./log.ts";

/** The first event of each object, found by looking at all of them, oldest first. */
export async function* firstChangesIn(
  scan: (query: HistoryScan) => AsyncIterable<LogEntry[]>,
  query: FirstChanges,
): AsyncGenerator<FirstChange[]> {
  let found: FirstChange[] = [];
  const includes: NonNullable<HistoryScan["includes"]> = (facts) => {
    const object = refOfEvent(facts);
    if (object !== undefined) found.push({ ...object, sequence: facts.sequence });
    return false;
  };
  for await (const _ of scan({ ...query, order: "oldest-first", control: "none", includes })) {
    yield found;
    found = [];
  }
  yield found;
}
