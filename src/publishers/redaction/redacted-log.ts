import type {
  ConsistentRead,
  DeadLetterStore,
  FeedLog,
  HistoryFacts,
  HistoryScan,
  StateFilter,
} from "../../feed/log.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Redaction } from "./redaction.ts";

/**
 * The log as everything reads it that lets something leave: events, objects, what an event was too large to hold, and
 * dead letters, all without what is redacted. Where nothing is, it is the log's own.
 */
export function redactedLog(log: FeedLog, redaction: Redaction): FeedLog {
  const own: Partial<FeedLog> = {
    read: async (cursor, options) => redaction.entries(await log.read(cursor, options)),
    eventsAt: async (sequences) => redaction.entries(await log.eventsAt(sequences)),
    waitBeyond: (sequence, { take, ...options }) =>
      log.waitBeyond(sequence, {
        ...options,
        ...(take && { take: (appended) => take(redaction.appended(appended)) }),
      }),
    history: async (query) => visible(redaction.entries(await log.history(query)), query),
    scanHistory: (query) => scan(log, query, redaction),
    overflow: async (sequence) => {
      const data = await log.overflow(sequence);
      return data === undefined ? undefined : redaction.dataText(data);
    },
    consistentRead: async () => redactedRead(await log.consistentRead(), redaction),
    deadLetters: redactedLetters(log, redaction),
  };
  // All else is the log's own, whatever it is, and asked of it.
  return new Proxy(log, {
    get: (target, name) => {
      const replaced = Reflect.get(own, name) as unknown;
      if (replaced !== undefined) return replaced;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

async function* scan(log: FeedLog, query: HistoryScan, redaction: Redaction): AsyncGenerator<LogEntry[]> {
  const { includes } = query;
  const seen = includes && { ...query, includes: (facts: HistoryFacts) => includes(redaction.facts(facts)) };
  for await (const batch of log.scanHistory(seen ?? query)) yield visible(redaction.entries(batch), query);
}

/** Who asks for a job or a node by a name that is redacted must not learn that it is there. */
function visible(entries: LogEntry[], { job, node }: HistoryScan): LogEntry[] {
  if (job === undefined && node === undefined) return entries;
  return entries.filter(
    (entry) => (job === undefined || entry.job === job) && (node === undefined || entry.node === node),
  );
}

/** The objects of a read, without what is redacted. */
export function redactedRead(read: ConsistentRead, redaction: Redaction): ConsistentRead {
  return {
    cursor: read.cursor,
    entries: async function* (filter?: StateFilter) {
      for await (const batch of read.entries(filter)) yield redaction.states(batch);
    },
    [Symbol.asyncDispose]: () => read[Symbol.asyncDispose](),
  };
}

function redactedLetters({ deadLetters }: FeedLog, redaction: Redaction): DeadLetterStore {
  return {
    put: (consumer, letter) => deadLetters.put(consumer, letter),
    list: async (consumer, options) => {
      const letters = await deadLetters.list(consumer, options);
      return letters.map((letter) => ({ ...letter, json: redaction.eventText(letter.json) }));
    },
    remove: (consumer, cursors) => deadLetters.remove(consumer, cursors),
    count: (consumer) => deadLetters.count(consumer),
  };
}
