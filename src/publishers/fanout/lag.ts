import { CannotKeepUp } from "../connection/errors.ts";

/** Watches whether a subscriber that does not keep up at least does not fall further behind. */
export class Lag {
  readonly #timeoutMs: number;
  #mark: { readonly atMs: number; readonly behindBy: number } | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
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
    const atMs = performance.now();
    this.#mark ??= { atMs, behindBy };
    if (atMs - this.#mark.atMs < this.#timeoutMs) return;
    if (behindBy > this.#mark.behindBy) throw new CannotKeepUp(behindBy);
    this.#mark = { atMs, behindBy };
  }
}
