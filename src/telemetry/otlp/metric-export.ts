import type { Registry } from "prom-client";
import { deadlineOf, every, type Clock } from "../../shared/clock.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { EXPORT_TIMEOUT_MS, ExportStanding, FLUSH_MS, type Exported } from "./exported.ts";
import type { Samples } from "./metric-data.ts";

/** A registry of which the metrics are sent. */
export interface MetricSource {
  readonly registry: Pick<Registry, "getMetricsAsJSON">;
  /** Which of its metrics. Default: all. */
  readonly includes?: (name: string) => boolean;
  /** On each point: which feed it is of. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Brings up to date what is known only when it is asked for. Default: nothing is. */
  readonly refresh?: () => Promise<void>;
}

export interface MetricExportDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "otlpFailures">;
  readonly everyMs: number;
  /** Sends them; rejects with the signal's reason alone. */
  readonly send: (samples: readonly Samples[], signal: AbortSignal) => Promise<Exported>;
}

interface Registered {
  readonly source: MetricSource;
  readonly sinceMs: number;
  /** What it counted last is sent once more. */
  isLeaving: boolean;
}

/** Sends the metrics of all sources every so often. What is not taken is sent with the next: they are cumulative. */
export class MetricExport implements AsyncDisposable {
  readonly #deps: MetricExportDeps;
  readonly #standing: ExportStanding;
  readonly #stop = new AbortController();
  readonly #sources = new Set<Registered>();
  readonly #cancel: () => void;
  #sending: Promise<void> | undefined;

  constructor(deps: MetricExportDeps) {
    this.#deps = deps;
    this.#standing = new ExportStanding("metrics", deps.logger);
    this.#cancel = every(deps.clock, deps.everyMs, () => {
      this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
    });
  }

  /** Sends its metrics too, until the returned function is called, and then once more, without asking it to `refresh`. */
  add(source: MetricSource): () => void {
    const registered: Registered = { source, sinceMs: this.#deps.clock.now(), isLeaving: false };
    this.#sources.add(registered);
    return () => {
      registered.isLeaving = true;
    };
  }

  /** Sends them a last time, as far as that goes within a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel();
    const cancel = this.#deps.clock.after(FLUSH_MS, () => this.#stop.abort(new Error("the process stops")));
    await this.#sending;
    if (!this.#standing.isFailing) await this.#sendAll();
    cancel();
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    using deadline = deadlineOf(this.#deps.clock, EXPORT_TIMEOUT_MS);
    const either = AbortSignal.any([deadline.signal, this.#stop.signal]);
    const left = [...this.#sources].filter(({ isLeaving }) => isLeaving);
    try {
      const samples = await Promise.all([...this.#sources].map((registered) => this.#samplesOf(registered)));
      this.#sent(await this.#deps.send(samples, either));
    } catch (error) {
      this.#sent({ outcome: "retry", reason: error instanceof Error ? error.message : String(error) });
    }
    for (const registered of left) this.#sources.delete(registered);
  }

  async #samplesOf({ source, sinceMs, isLeaving }: Registered): Promise<Samples> {
    const { registry, includes = () => true, attributes, refresh } = source;
    if (!isLeaving) await refresh?.();
    const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => includes(name));
    return { metrics, sinceMs, atMs: this.#deps.clock.now(), attributes };
  }

  #sent(result: Exported): void {
    if (result.outcome === "ok") return this.#standing.worked();
    this.#deps.metrics.otlpFailures.inc({ signal: "metrics" });
    this.#standing.failed(result.reason);
  }
}
