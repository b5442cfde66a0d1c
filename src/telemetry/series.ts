import { Counter, type HistogramConfiguration } from "prom-client";
import { KeptHistogram, type KeptDurations } from "./kept-histogram.ts";

/*
 * Metrics of what happens ten thousand times a second: to count in one of their series is an addition. The library's own
 * put the name of a series together each time.
 */

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Ask for a series once, and release it when there is nothing to count in it any more. */
export class SeriesCounter<Label extends string> extends Counter<Label> {
  readonly #series = new UsedSeries<CounterSeries<Label>>();

  /** The same for the same labels. */
  series(labels: Labels<Label>): CounterSeries<Label> {
    return this.#series.use(labels, () => new CounterSeries(labels));
  }

  /** It is not shown any more, once all who asked for it have released it. */
  release({ labels }: { readonly labels: Labels<Label> }): void {
    if (this.#series.release(labels)) this.remove({ ...labels });
  }

  override get(): ReturnType<Counter<Label>["get"]> {
    for (const series of this.#series.values()) this.inc({ ...series.labels }, series.take());
    return super.get();
  }
}

export class CounterSeries<Label extends string = string> {
  readonly labels: Labels<Label>;
  #count = 0;

  constructor(labels: Labels<Label>) {
    this.labels = labels;
  }

  inc(by = 1): void {
    this.#count += by;
  }

  /** What was counted since it was last asked. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

/** The same of durations. */
export class SeriesHistogram<Label extends string> extends KeptHistogram {
  readonly #series: UsedSeries<HistogramSeries<Label>>;
  readonly #bounds: readonly number[];

  /** `buckets`: upper bounds, seconds, ascending. */
  constructor({
    buckets,
    ...description
  }: Pick<HistogramConfiguration<Label>, "name" | "help" | "registers" | "labelNames"> & {
    readonly buckets: readonly number[];
  }) {
    const series = new UsedSeries<HistogramSeries<Label>>();
    super(() => series.values(), description);
    this.#series = series;
    this.#bounds = [...buckets, Number.POSITIVE_INFINITY];
  }

  /** The same for the same labels. */
  series(labels: Labels<Label>): HistogramSeries<Label> {
    return this.#series.use(labels, () => new HistogramSeries(labels, this.#bounds));
  }

  /** It is not shown any more, once all who asked for it have released it. */
  release({ labels }: { readonly labels: Labels<Label> }): void {
    this.#series.release(labels);
  }
}

export class HistogramSeries<Label extends string = string> implements KeptDurations<Label> {
  readonly labels: Labels<Label>;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(labels: Labels<Label>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  get buckets(): readonly (readonly [bound: number, count: number])[] {
    return this.#bounds.map((bound, at) => [bound, this.#counts[at] ?? 0]);
  }

  get sum(): number {
    return this.#sum;
  }

  observe(seconds: number): void {
    let at = 0;
    while (seconds > (this.#bounds[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
  }
}

/** Series by their labels, each for as long as anybody uses it. */
class UsedSeries<Series> {
  readonly #used = new Map<string, { readonly series: Series; users: number }>();

  *values(): Iterable<Series> {
    for (const { series } of this.#used.values()) yield series;
  }

  use(labels: object, make: () => Series): Series {
    const name = JSON.stringify(labels);
    const used = this.#used.get(name) ?? { series: make(), users: 0 };
    this.#used.set(name, used);
    used.users += 1;
    return used.series;
  }

  /** Whether nobody uses it any more. */
  release(labels: object): boolean {
    const name = JSON.stringify(labels);
    const used = this.#used.get(name);
    if (used === undefined || --used.users > 0) return false;
    return this.#used.delete(name);
  }
}
