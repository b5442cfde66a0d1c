/** So many at once, and then so many a second. May be overdrawn: what came has to be dealt with. */
export class Bucket {
  readonly #perSecond: number;
  readonly #most: number;
  #left: number;
  #atMs = performance.now();

  constructor({ perSecond, atOnce }: { perSecond: number; atOnce: number }) {
    this.#perSecond = perSecond;
    this.#most = atOnce;
    this.#left = atOnce;
  }

  /** Takes one. Answers how long to wait for the next, in ms; 0 where there are more. */
  take(): number {
    const now = performance.now();
    const filled = this.#left + ((now - this.#atMs) * this.#perSecond) / 1000;
    this.#left = Math.min(this.#most, filled) - 1;
    this.#atMs = now;
    return this.#left >= 0 ? 0 : (-this.#left * 1000) / this.#perSecond;
  }
}
