import type { Metrics } from "../telemetry/metrics.ts";

/** Beyond this, no further list is asked for, bytes. What queries that are open already bring comes on top. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * What was read from Nomad and is not in the log yet, over all scopes of this process. Each scope holds at most one
 * list, and asks for the next only when the last is in the log; while the log is slow or away, scopes that have
 * nothing to write stop asking too, so that what it cannot take stays in Nomad and not in our memory.
 */
export class Backlog {
  readonly #metrics: Pick<Metrics, "backlogBytes" | "backlogLists" | "commitBytes">;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(metrics: Pick<Metrics, "backlogBytes" | "backlogLists" | "commitBytes">, maxBytes = MAX_BYTES) {
    this.#metrics = metrics;
    this.#maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Counts a list of so many bytes while `work` brings what it holds into the log. */
  async whileWriting<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const { backlogBytes, backlogLists } = this.#metrics;
    this.#bytes += bytes;
    backlogBytes.inc(bytes);
    backlogLists.inc();
    try {
      return await work();
    } finally {
      this.#bytes -= bytes;
      backlogBytes.dec(bytes);
      backlogLists.dec();
    }
  }

  /** Counts a commit of so many bytes until the log has answered. */
  async whileCommitting<T>(bytes: number, commit: () => Promise<T>): Promise<T> {
    this.#metrics.commitBytes.inc(bytes);
    try {
      return await commit();
    } finally {
      this.#metrics.commitBytes.dec(bytes);
    }
  }
}
