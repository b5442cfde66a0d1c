import type { HistoryFacts } from "../feed/log.ts";
import type { CountedBy, Counts } from "../schemas/counts-schema.ts";
import type { Severity } from "../schemas/severity.ts";
import { bucketOf, type Buckets } from "./buckets.ts";

const MAX_VALUES = 50;

type Facts = Omit<HistoryFacts, "key">;

const VALUES_OF: {
  readonly [Name in Exclude<CountedBy, "severity">]: (facts: Facts) => readonly (string | null)[];
} = {
  type: ({ type }) => [type],
  namespace: ({ namespace }) => [namespace],
  op: ({ op }) => [op],
  aspect: ({ aspect }) => [aspect],
  signal: ({ signals }) => signals,
  job: ({ job }) => [job],
  node: ({ node }) => [node],
};

/** Counts events, in any order: by bucket and severity, and by one thing more. */
export class Tally {
  readonly #buckets: Buckets;
  readonly #valuesOf: ((facts: Facts) => readonly (string | null)[]) | undefined;
  readonly #severities: Map<Severity, number>[];
  readonly #values = new Map<string, number>();

  constructor(buckets: Buckets, by: CountedBy) {
    this.#buckets = buckets;
    this.#valuesOf = by === "severity" ? undefined : VALUES_OF[by];
    this.#severities = buckets.bounds.slice(1).map(() => new Map());
  }

  /** `count` events that have these facts in common, and their bucket. */
  add(facts: Facts, count = 1): void {
    countIn(this.#severities[bucketOf(this.#buckets, facts.sequence)], facts.severity, count);
    // What an event has none of it is not counted by.
    for (const value of this.#valuesOf?.(facts) ?? [])
      if (value !== null) countIn(this.#values, value, count);
  }

  counts(): Pick<Counts, "bucketMs" | "total" | "buckets" | "values" | "others"> {
    const { sinceMs, bucketMs } = this.#buckets;
    const buckets = this.#severities.map((severities, n) => ({
      at: new Date(sinceMs + n * bucketMs).toISOString(),
      total: sumOf(severities.values()),
      severities: Object.fromEntries(severities),
    }));
    const total = sumOf(buckets.map((bucket) => bucket.total));
    return { bucketMs, total, buckets, ...(this.#valuesOf !== undefined && this.#largest()) };
  }

  #largest(): Pick<Counts, "values" | "others"> {
    const all = [...this.#values].map(([value, count]) => ({ value, count }));
    all.sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1));
    const others = sumOf(all.slice(MAX_VALUES).map(({ count }) => count));
    return { values: all.slice(0, MAX_VALUES), ...(all.length > MAX_VALUES && { others }) };
  }
}

function countIn<Name>(counts: Map<Name, number> | undefined, name: Name, count: number): void {
  counts?.set(name, (counts.get(name) ?? 0) + count);
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
