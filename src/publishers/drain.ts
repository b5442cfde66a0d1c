/** Counts what was written to a connection and not taken from it yet, and says when all of it was. */
export class Drain {
  #pending = 0;
  #onClear: (() => void) | undefined;

  /** Give the answer, as it is, to one write as its callback. */
  begin(): () => void {
    this.#pending += 1;
    return this.#written;
  }

  get isClear(): boolean {
    return this.#pending === 0;
  }

  /** Calls back once, when all that was written is taken, or the connection is gone. One at a time. */
  whenClear(onClear: () => void): void {
    this.#onClear = onClear;
  }

  /** The same function for every write: streams then call a row of them in one go. */
  readonly #written = (): void => {
    this.#pending -= 1;
    const onClear = this.#onClear;
    if (this.#pending > 0 || onClear === undefined) return;
    this.#onClear = undefined;
    onClear();
  };
}
