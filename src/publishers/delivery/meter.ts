import type { DeliveryDetails } from "../../schemas/delivery-schema.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { CounterSeries, HistogramSeries, SeriesCounter } from "../../telemetry/series.ts";
import type { SendResult } from "./destination.ts";

export type DeliveryMetrics = Pick<
  Metrics,
  | "destinationEvents"
  | "destinationAttempts"
  | "destinationRetries"
  | "destinationLagEvents"
  | "destinationLagSeconds"
  | "destinationCircuitOpen"
  | "destinationPaused"
  | "destinationPending"
  | "destinationGaps"
  | "destinationSeconds"
>;

/** How a delivery stands, as its gauges show it. */
export interface Gauges {
  readonly lagEvents: number | undefined;
  readonly lagMs: number;
  readonly isOpen: boolean;
  readonly isPaused: boolean;
  readonly pendingBytes: number;
}

export type Outcome = "delivered" | "parked" | "too-old" | "unparked";

/** Counts what becomes of the events of one destination, for its metrics and for people. */
export class Meter {
  readonly #metrics: DeliveryMetrics;
  readonly #events = new Map<Outcome, OutcomeSeries>();
  readonly #attempts = new Map<SendResult["outcome"], OutcomeSeries>();
  readonly #gaps = new Set<string>();
  readonly #label: { readonly destination: string };
  readonly #outcomes = { delivered: 0, parked: 0, passedOver: 0, retried: 0 };
  readonly #picked: Durations;
  readonly #sent: Durations;
  readonly #answered: Durations;

  constructor(metrics: DeliveryMetrics, destination: string) {
    this.#metrics = metrics;
    this.#label = { destination };
    const part = (name: string) =>
      new Durations(metrics.destinationSeconds.series({ destination, part: name }));
    this.#picked = part("recorded-picked");
    this.#sent = part("picked-sent");
    this.#answered = part("sent-answered");
  }

  done(outcome: Outcome, events = 1): void {
    seriesOf(this.#events, outcome, this.#metrics.destinationEvents, this.#label).inc(events);
    this.#outcomes[outcome === "too-old" || outcome === "unparked" ? "passedOver" : outcome] += events;
  }

  attempted(outcome: SendResult["outcome"], ms: number): void {
    seriesOf(this.#attempts, outcome, this.#metrics.destinationAttempts, this.#label).inc();
    this.#answered.add(ms);
  }

  again(events: number): void {
    this.#metrics.destinationRetries.inc(this.#label, events);
    this.#outcomes.retried += events;
  }

  picked(sinceRecordedMs: number): void {
    this.#picked.add(Math.max(0, sinceRecordedMs));
  }

  sent(sincePickedMs: number): void {
    this.#sent.add(sincePickedMs);
  }

  gap(reason: string): void {
    this.#gaps.add(reason);
    this.#metrics.destinationGaps.inc({ ...this.#label, reason });
  }

  /** What people are shown of it. */
  figures(): Pick<DeliveryDetails, "outcomes" | "latency"> {
    const [recordedToPicked, pickedToSent, sentToAnswered] = [this.#picked, this.#sent, this.#answered].map(
      (durations) => durations.quantiles(),
    );
    const isKnown = recordedToPicked && pickedToSent && sentToAnswered;
    return {
      outcomes: { ...this.#outcomes },
      latency: isKnown ? { recordedToPicked, pickedToSent, sentToAnswered } : null,
    };
  }

  show({ lagEvents, lagMs, isOpen, isPaused, pendingBytes }: Gauges): void {
    const metrics = this.#metrics;
    if (lagEvents !== undefined) metrics.destinationLagEvents.set(this.#label, lagEvents);
    metrics.destinationLagSeconds.set(this.#label, lagMs / 1000);
    metrics.destinationCircuitOpen.set(this.#label, isOpen ? 1 : 0);
    metrics.destinationPaused.set(this.#label, isPaused ? 1 : 0);
    metrics.destinationPending.set(this.#label, pendingBytes);
  }

  /** Somebody else delivers now, or nobody. */
  forget(): void {
    const metrics = this.#metrics;
    metrics.destinationLagEvents.remove(this.#label);
    metrics.destinationLagSeconds.remove(this.#label);
    metrics.destinationCircuitOpen.remove(this.#label);
    metrics.destinationPaused.remove(this.#label);
    metrics.destinationPending.remove(this.#label);
  }

  /** There is no such destination any more: the metrics say nothing of it. */
  remove(): void {
    this.forget();
    const metrics = this.#metrics;
    for (const series of this.#events.values()) metrics.destinationEvents.release(series);
    for (const series of this.#attempts.values()) metrics.destinationAttempts.release(series);
    for (const { series } of [this.#picked, this.#sent, this.#answered])
      metrics.destinationSeconds.release(series);
    metrics.destinationRetries.remove(this.#label);
    for (const reason of this.#gaps) metrics.destinationGaps.remove({ ...this.#label, reason });
  }
}

type OutcomeSeries = CounterSeries<"destination" | "outcome">;

function seriesOf<Name extends string>(
  known: Map<Name, OutcomeSeries>,
  outcome: Name,
  counter: SeriesCounter<"destination" | "outcome">,
  label: { readonly destination: string },
): OutcomeSeries {
  let counted = known.get(outcome);
  if (counted === undefined) known.set(outcome, (counted = counter.series({ ...label, outcome })));
  return counted;
}

const KEPT = 256;

/** A histogram in seconds, and the last durations as they were, ms. */
class Durations {
  readonly series: HistogramSeries<"destination" | "part">;
  readonly #last: number[] = [];
  #count = 0;

  constructor(series: HistogramSeries<"destination" | "part">) {
    this.series = series;
  }

  add(ms: number): void {
    this.series.observe(ms / 1000);
    this.#last[this.#count % KEPT] = ms;
    this.#count += 1;
  }

  quantiles(): { p50: number; p99: number } | undefined {
    const sorted = this.#last.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    return sorted.length === 0 ? undefined : { p50: at(0.5), p99: at(0.99) };
  }
}
