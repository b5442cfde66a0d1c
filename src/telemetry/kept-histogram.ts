import { Histogram, type HistogramConfiguration } from "prom-client";

/** Durations of one series. */
export interface KeptDurations<Label extends string = string> {
  readonly labels: Readonly<Record<Label, string>>;
  /** How many were within each bound, seconds, and not within the one before; Infinity comes last. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly sum: number;
}

/** A histogram that is counted elsewhere: the library's own takes durations only one by one. */
export class KeptHistogram extends Histogram {
  readonly #name: string;
  /** Describes itself, and has no series. */
  readonly #empty: Histogram;
  readonly #durations: () => Iterable<KeptDurations>;

  /** `durations` are asked at each scrape. */
  constructor(
    durations: () => Iterable<KeptDurations>,
    description: Pick<HistogramConfiguration<string>, "name" | "help" | "registers" | "labelNames">,
  ) {
    super(description);
    this.#name = description.name;
    this.#empty = new Histogram({ ...description, registers: [] });
    this.#durations = durations;
  }

  override async get() {
    const values = [...this.#durations()].flatMap((durations) => this.#values(durations));
    return { ...(await this.#empty.get()), values };
  }

  /** What the registry asks where there is one, for the same. */
  getForPromString() {
    return this.get();
  }

  #values({ labels, buckets, sum }: KeptDurations) {
    let count = 0;
    const values = buckets.map(([bound, own]) => {
      count += own;
      const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : bound;
      return { labels: { ...labels, le }, value: count, metricName: `${this.#name}_bucket` };
    });
    return [
      ...values,
      { labels, value: sum, metricName: `${this.#name}_sum` },
      { labels, value: count, metricName: `${this.#name}_count` },
    ];
  }
}
