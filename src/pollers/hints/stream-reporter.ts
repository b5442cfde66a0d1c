import type { NomadError } from "../../nomad/errors.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";

const REMIND_EVERY_MS = 10 * 60_000;

/** Says when hints begin and end, once a cause, and again from time to time while it lasts. */
export class StreamReporter {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #saidMs = new Map<string, number>();
  /** Namespaces of which it was said last that their stream is there. */
  readonly #live = new Set<string>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** There are no streams but of these namespaces: one that comes back is news. */
  follows(namespaces: readonly string[]): void {
    const followed = new Set(namespaces);
    for (const namespace of this.#live) if (!followed.has(namespace)) this.#live.delete(namespace);
  }

  live(namespace: string, address: string): void {
    const level = this.#live.has(namespace) ? "debug" : "info";
    this.#live.add(namespace);
    this.#logger[level](
      { namespace, address },
      "follows Nomad's event stream: reads what it names, one by one",
    );
  }

  away(namespace: string, { code, message, hint }: NomadError, retryInMs: number): void {
    const isNews = this.#isNews(`${code} ${namespace}`);
    if (isNews) this.#live.delete(namespace);
    this.#logger[isNews ? "warn" : "debug"](
      { namespace, code, hint, retryInMs },
      `no event stream from Nomad, reads whole lists meanwhile: ${message}`,
    );
  }

  lost(namespace: string, reason: string): void {
    this.#logger[this.#isNews("lost") ? "info" : "debug"](
      { namespace },
      `may have missed some of Nomad's event stream, reads whole lists once: ${reason}`,
    );
  }

  #isNews(cause: string): boolean {
    const now = this.#clock.elapsed();
    const before = this.#saidMs.get(cause);
    if (before !== undefined && now - before < REMIND_EVERY_MS) return false;
    for (const [said, atMs] of this.#saidMs) if (now - atMs >= REMIND_EVERY_MS) this.#saidMs.delete(said);
    this.#saidMs.set(cause, now);
    return true;
  }
}
