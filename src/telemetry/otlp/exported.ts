import type { Logger } from "../logger.ts";

/** What came of a request to a receiver of OTLP. `retry`: what passes; the same may be sent again. */
export type Exported =
  | { readonly outcome: "ok" }
  | { readonly outcome: "retry"; readonly reason: string; readonly afterMs?: number }
  | { readonly outcome: "refused"; readonly reason: string };

/** One request may take so long. */
export const EXPORT_TIMEOUT_MS = 10_000;
/** What is left when the process stops has so long to go. */
export const FLUSH_MS = 1_000;

/** Says once that a receiver takes nothing, and once that it does again. */
export class ExportStanding {
  readonly #signal: "traces" | "metrics";
  readonly #logger: Logger;
  #isFailing = false;

  constructor(signal: "traces" | "metrics", logger: Logger) {
    this.#signal = signal;
    this.#logger = logger;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  worked(): void {
    if (this.#isFailing) this.#logger.info({ signal: this.#signal }, "telemetry is taken again");
    this.#isFailing = false;
  }

  failed(reason: string): void {
    if (!this.#isFailing)
      this.#logger.warn(
        { signal: this.#signal, reason },
        "telemetry cannot be sent; the feed goes on, and what there is too much of is dropped",
      );
    this.#isFailing = true;
  }
}
