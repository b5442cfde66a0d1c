import type { LogEntry } from "../schemas/draft.ts";
import type { HistoryScan } from "./log.ts";

interface Source {
  readonly batches: AsyncIterator<LogEntry[]>;
  /** Read, and not yet given on. */
  entries: LogEntry[];
  isDone: boolean;
}

/** Two scans, each in this order and without an event in common, as one. */
export async function* inOneOrder(
  order: HistoryScan["order"],
  ...scans: readonly [AsyncGenerator<LogEntry[]>, AsyncGenerator<LogEntry[]>]
): AsyncGenerator<LogEntry[]> {
  const isFirst = order === "oldest-first" ? isOlder : isNewer;
  const [left, right] = scans.map((batches): Source => ({ batches, entries: [], isDone: false })) as [
    Source,
    Source,
  ];
  try {
    while (!isEmpty(left) || !isEmpty(right)) {
      for (const source of [left, right]) if (mayBeNext(source)) await readOn(source);
      yield mayBeNext(left) || mayBeNext(right) ? [] : taken(left, right, isFirst);
    }
  } finally {
    for (const { batches } of [left, right]) await batches.return?.();
  }
}

/** Those that come before whatever either of the two has yet to bring. */
function taken(left: Source, right: Source, isFirst: typeof isOlder): LogEntry[] {
  const batch: LogEntry[] = [];
  for (;;) {
    const [one, other] = [left.entries[0], right.entries[0]];
    if ((one === undefined && !left.isDone) || (other === undefined && !right.isDone)) return batch;
    const from = other === undefined || (one !== undefined && isFirst(one, other)) ? left : right;
    const next = from.entries.shift();
    if (next === undefined) return batch;
    batch.push(next);
  }
}

async function readOn(source: Source): Promise<void> {
  const { done, value } = await source.batches.next();
  if (done === true) source.isDone = true;
  else source.entries = value;
}

function mayBeNext({ entries, isDone }: Source): boolean {
  return entries.length === 0 && !isDone;
}

function isEmpty({ entries, isDone }: Source): boolean {
  return entries.length === 0 && isDone;
}

function isOlder(one: LogEntry, other: LogEntry): boolean {
  return one.sequence < other.sequence;
}

function isNewer(one: LogEntry, other: LogEntry): boolean {
  return one.sequence > other.sequence;
}
