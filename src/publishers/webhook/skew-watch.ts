import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** Receivers refuse a signature whose time differs from theirs by more than five minutes. */
const WARN_BEYOND_MS = 60_000;

/** Warns once when the clocks of this machine and of the receiver drift apart, and anew when they did so again. */
export class SkewWatch {
  readonly #clock: Pick<Clock, "now">;
  readonly #logger: Logger;
  #warned = false;
  #seen: string | undefined;

  constructor(clock: Pick<Clock, "now">, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `date`: the header of an answer. */
  see(date: string | undefined): void {
    if (date === this.#seen) return;
    this.#seen = date;
    const theirsMs = Date.parse(date ?? "");
    const skewMs = Math.abs(this.#clock.now() - theirsMs);
    if (Number.isNaN(skewMs)) return;
    const differs = skewMs > WARN_BEYOND_MS;
    if (differs && !this.#warned) {
      this.#logger.warn(
        { skewSeconds: Math.round(skewMs / 1000) },
        "the clocks here and at the receiver differ; it may refuse signatures: compare both with NTP",
      );
    }
    this.#warned = differs;
  }
}
