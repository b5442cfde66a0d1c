/** The time a whole program has. When it is over, the program can say what it was waiting for. */
export class Deadline {
  readonly #endsAtMs: number;
  readonly #seconds: number;

  constructor(ms: number) {
    this.#seconds = ms / 1000;
    this.#endsAtMs = performance.now() + ms;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAtMs - performance.now());
  }

  /** What `work` answers; rejects when the time is over before. */
  async waitFor<T>(what: string, work: Promise<T>): Promise<T> {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`gave up after ${this.#seconds} s, waiting for: ${what}`)),
      this.leftMs,
    );
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  }
}
