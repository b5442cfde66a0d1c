/**
 * Whether the cluster has a leader. Sleeping queries that need it are interrupted when it goes; stale ones
 * sleep on and learn of it from their headers.
 */
export class Leadership {
  readonly #clock: () => number;
  readonly #interrupts = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  #lostAt: number | undefined;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get known(): boolean {
    return this.#lostAt === undefined;
  }

  /** How long a follower has not heard of a leader, ms. */
  get lastContactMs(): number {
    return this.#lostAt === undefined ? 0 : Math.max(0, Math.floor(this.#clock() - this.#lostAt));
  }

  lose(): void {
    this.#lostAt ??= this.#clock();
    this.#interruptAll();
  }

  elect(): void {
    this.#lostAt = undefined;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** A new leader at once: only who slept on the old one notices. */
  change(): void {
    this.#interruptAll();
    this.elect();
  }

  /** Calls back once when the leader goes. Returns the way to stop listening. */
  onLoss(interrupt: () => void): () => void {
    this.#interrupts.add(interrupt);
    return () => this.#interrupts.delete(interrupt);
  }

  /** Resolves true as soon as there is a leader, false after `holdMs` without one. */
  async hold(holdMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.known) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = (): void => resolve(true);
    const giveUp = (): void => resolve(false);
    const timer = setTimeout(giveUp, holdMs);
    this.#waiting.add(wake);
    signal.addEventListener("abort", giveUp, { once: true });
    const elected = await promise;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", giveUp);
    return elected;
  }

  #interruptAll(): void {
    for (const interrupt of this.#interrupts) interrupt();
  }
}
