import type { Clock } from "../../shared/clock.ts";
import { CannotKeepUp } from "../connection/errors.ts";

/** Watches whether a subscriber that does not keep up at least does not fall further behind. */
export class Lag {
  readonly #timeoutMs: number;
  readonly #clock: Pick<Clock, "elapsed">;
  #mark: { readonly atMs: number; readonly behindBy: number } | undefined;

  constructor(timeoutMs: number, clock: Pick<Clock, "elapsed">) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /**
   * Call it again and again with the number of events that are still to come; undefined where it keeps up.
   * @throws CannotKeepUp where it was behind all the time, and was further behind at the end of it.
   */
  note(behindBy: number | undefined): void {
    if (behindBy === undefined) {
      this.#mark = undefined;
      return;
    }
    const atMs = this.#clock.elapsed();
    this.#mark ??= { atMs, behindBy };
    if (atMs - this.#mark.atMs < this.#timeoutMs) return;
    if (behindBy > this.#mark.behindBy) throw new CannotKeepUp(behindBy);
    this.#mark = { atMs, behindBy };
  }
}
