/** How long others wait at most for a slice of turns, and for the turn that is just under way. */
const SLICE_MS = 4;

/** Gives tasks their turn, first come, first served, in slices between which the process does everything else. */
export class Turns {
  #waiting: (() => void)[] = [];
  #next = 0;
  #isRunning = false;

  /** `task` must not throw. */
  take(task: () => void): void {
    this.#waiting.push(task);
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const sliceEndsAt = performance.now() + SLICE_MS;
    for (;;) {
      const task = this.#waiting[this.#next];
      if (task === undefined) break;
      this.#next += 1;
      task();
      if (performance.now() >= sliceEndsAt) break;
    }
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    this.#isRunning = this.#waiting.length > 0;
    if (this.#isRunning) setImmediate(this.#run);
  };
}
