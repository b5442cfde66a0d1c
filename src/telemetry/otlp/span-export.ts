import { Backoff } from "../../shared/backoff.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { EXPORT_TIMEOUT_MS, ExportStanding, FLUSH_MS, type Exported } from "./exported.ts";
import type { EndedSpan } from "./spans.ts";

const MOST_KEPT = 2048;
const AT_ONCE = 512;
/** What does not fill a request waits so long for more. */
const WAIT_MS = 5_000;

export interface SpanExportDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "otlpSpans" | "otlpFailures">;
  /** Sends them; rejects with the signal's reason alone. */
  readonly send: (spans: readonly EndedSpan[], signal: AbortSignal) => Promise<Exported>;
}

/**
 * Sends spans that have ended, in batches, one request at a time. Nobody waits for it: while the receiver is away it keeps
 * the first 2048 and drops what comes then.
 */
export class SpanExport implements AsyncDisposable {
  readonly #deps: SpanExportDeps;
  readonly #backoff: Backoff;
  readonly #standing: ExportStanding;
  readonly #stop = new AbortController();
  /** The first of them may be under way. */
  #kept: EndedSpan[] = [];
  #sending: Promise<boolean> | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;
  /** How long the receiver asked to wait. */
  #floorMs = 0;

  constructor(deps: SpanExportDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ baseMs: 1_000, maxMs: 30_000, random: deps.random });
    this.#standing = new ExportStanding("traces", deps.logger);
  }

  take(span: EndedSpan): void {
    if (this.#isClosed || this.#kept.length >= MOST_KEPT) {
      this.#deps.metrics.otlpSpans.inc({ outcome: "dropped" });
      return;
    }
    this.#kept.push(span);
    if (this.#kept.length === 1) this.#sendIn(WAIT_MS);
    else if (this.#kept.length === AT_ONCE) this.#sendIn(0);
  }

  /** Sends what is left, as far as that goes within a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    const cancel = this.#deps.clock.after(FLUSH_MS, () => this.#stop.abort(new Error("the process stops")));
    let goesOn = (await this.#sending) ?? true;
    while (goesOn && this.#kept.length > 0 && !this.#stop.signal.aborted) goesOn = await this.#sendSome();
    cancel();
    this.#dropped(this.#kept.length);
  }

  /** Unless it is under way, or waits for the receiver to come back. */
  #sendIn(ms: number): void {
    if (this.#sending !== undefined || this.#isClosed || this.#standing.isFailing) return;
    this.#set(ms);
  }

  #set(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#deps.clock.after(ms, () => {
      this.#sending = this.#sendSome().finally(() => {
        this.#sending = undefined;
        if (!this.#isClosed) this.#next();
      });
    });
  }

  #next(): void {
    if (this.#standing.isFailing) this.#set(this.#backoff.next(this.#floorMs));
    else if (this.#kept.length > 0) this.#set(this.#kept.length >= AT_ONCE ? 0 : WAIT_MS);
  }

  /** Answers whether more may be sent at once. */
  async #sendSome(): Promise<boolean> {
    const { metrics } = this.#deps;
    const some = this.#kept.slice(0, AT_ONCE);
    if (some.length === 0) return true;
    const result = await this.#send(some);
    if (result.outcome === "ok") {
      this.#kept.splice(0, some.length);
      metrics.otlpSpans.inc({ outcome: "sent" }, some.length);
      this.#standing.worked();
      this.#backoff.reset();
      return true;
    }
    metrics.otlpFailures.inc({ signal: "traces" });
    this.#floorMs = (result.outcome === "retry" && result.afterMs) || 0;
    if (result.outcome === "refused") {
      this.#kept.splice(0, some.length);
      this.#dropped(some.length);
    }
    this.#standing.failed(result.reason);
    return false;
  }

  async #send(some: readonly EndedSpan[]): Promise<Exported> {
    using deadline = deadlineOf(this.#deps.clock, EXPORT_TIMEOUT_MS);
    const either = AbortSignal.any([deadline.signal, this.#stop.signal]);
    try {
      return await this.#deps.send(some, either);
    } catch (error) {
      return { outcome: "retry", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #dropped(count: number): void {
    if (count > 0) this.#deps.metrics.otlpSpans.inc({ outcome: "dropped" }, count);
  }
}
