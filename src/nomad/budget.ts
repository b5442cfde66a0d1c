/**
 * At most so many requests at once; the rest wait in order of arrival. Nomad counts TCP connections per client
 * address (limits.http_max_conns_per_client, 100 by default) and HTTP/1.1 holds one for each request.
 */
export class ConnectionBudget {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(connections: number) {
    this.#free = connections;
  }

  /** Resolves to the function that gives the connection back. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    return () => this.#release();
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(go);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(go);
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
