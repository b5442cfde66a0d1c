import { buildControlEvent } from "../events/control.ts";
import { LogUnavailable } from "../feed/errors.ts";
import { NO_NOTES, type FeedLog } from "../feed/log.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Clock } from "../shared/clock.ts";

export interface FeedOutageDeps {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "events" | "logSequence">;
  readonly clock: Clock;
  /** The scopes that this process watches, by name. */
  readonly watched: Pick<ReadonlyMap<string, unknown>, "has" | "size">;
  /** Names of the scopes that are to be watched, by whichever process; undefined while that is not known. */
  readonly planned: () => readonly string[] | undefined;
}

export interface FeedOutageOptions {
  readonly source: string;
  readonly waitMs: number;
  readonly staleAfterMs: number;
}

const OVER = "Nomad is read again";

/** Why and since when a scope is not read. */
interface Failure {
  readonly reason: string;
  readonly sinceMs: number;
  /** When it was last read, RFC 3339. */
  readonly observedAt: string | null;
}

/**
 * Tells of an outage of Nomad once, for the feed as a whole, and not once a scope.
 *
 *     stale while no other scope is read ─▶ covered: no event, a note in the log ─▶ read again: no event either
 *                                                          └─▶ fails on while others are read: its own event
 *
 * The outage begins when no planned scope is read and ends when none is covered any more. The log's `outage` decides
 * which process tells of it, and the notes are in the log too: so each is told once, whoever crashes, takes a scope
 * over, or watches besides.
 */
export class FeedOutage {
  readonly #deps: FeedOutageDeps;
  readonly #options: FeedOutageOptions;
  readonly #failing = new Map<string, Failure>();
  /** Since when some scope of this process has been read again after none was; null while none is. */
  #readSinceMs: number | null = null;
  #lastReadMs = -Infinity;
  /** Since when, while scopes fail here, others of the feed do not, or it is not known which there are. */
  #dividedSinceMs: number | null = null;
  #checkFailed = false;

  constructor(deps: FeedOutageDeps, options: FeedOutageOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The scope could not be read, for so long by now. */
  failed(scope: Scope, { failingMs, ...why }: Omit<Failure, "sinceMs"> & { failingMs: number }): void {
    this.#failing.set(scopeName(scope), { ...why, sinceMs: this.#deps.clock.elapsed() - failingMs });
    if (this.#failing.size >= this.#deps.watched.size) this.#readSinceMs = null;
  }

  /** The scope was read. */
  read(scope: Scope): void {
    this.#failing.delete(scopeName(scope));
    this.#lastReadMs = this.#deps.clock.elapsed();
    this.#readSinceMs ??= this.#lastReadMs;
  }

  /** The scope is not watched here any more. */
  forget(scope: Scope): void {
    this.#failing.delete(scopeName(scope));
  }

  /** Whether a failing scope leaves it to the feed as a whole to tell that it is stale. */
  covers(scope: Scope): boolean {
    return this.#covers(scopeName(scope));
  }

  /** Tells of the outage's beginning or end if it is time. Never rejects. */
  async check(): Promise<void> {
    try {
      await this.#check();
      this.#checkFailed = false;
    } catch (error) {
      // Where the log cannot be reached, the loops say so.
      const level = this.#checkFailed || error instanceof LogUnavailable ? "debug" : "warn";
      this.#checkFailed = true;
      this.#deps.logger[level]({ err: error }, "cannot write the start or end of a Nomad outage; retrying");
    }
  }

  async #check(): Promise<void> {
    const outage = await this.#deps.log.outage();
    if (outage === null && this.#failing.size === 0) {
      this.#dividedSinceMs = null;
      return;
    }
    const planned = await this.#planned();
    const isNoneRead = planned?.every(({ unread }) => unread) === true;
    this.#dividedSinceMs = isNoneRead ? null : (this.#dividedSinceMs ?? this.#deps.clock.elapsed());
    if (outage !== null) {
      if (planned?.some(({ covered, failing }) => covered || failing) === false)
        await this.#tell("recovered", outage);
    } else if (isNoneRead && planned.some(({ covered }) => covered) && this.#failing.size > 0) {
      await this.#tell("stale", outage);
    }
  }

  /**
   * How the scopes do that are to be watched: what this process does not watch is unread if the log says so. `failing`:
   * here, and it does not tell of itself.
   */
  async #planned(): Promise<{ unread: boolean; covered: boolean; failing: boolean }[] | undefined> {
    const names = this.#deps.planned();
    if (names === undefined) return undefined;
    const kept = new Map(
      (await this.#deps.log.scopes()).map(({ scope, notes }) => [scopeName(scope), notes]),
    );
    return names.map((name) => {
      const { trouble, covered = false } = kept.get(name) ?? NO_NOTES;
      const unread = this.#deps.watched.has(name) ? this.#failing.has(name) : trouble !== null;
      // An older version ends the trouble and knows nothing of the cover.
      return { unread, covered: covered && trouble !== null, failing: this.#covers(name) };
    });
  }

  #covers(name: string): boolean {
    const failure = this.#failing.get(name);
    if (failure === undefined) return false;
    const apartMs = (sinceMs: number | null): number =>
      sinceMs === null ? 0 : this.#deps.clock.elapsed() - Math.max(sinceMs, failure.sinceMs);
    const { staleAfterMs } = this.#options;
    const failsAlone = this.#lastReadMs > failure.sinceMs && apartMs(this.#readSinceMs) >= staleAfterMs;
    return !failsAlone && apartMs(this.#dividedSinceMs) < this.#patienceMs;
  }

  async #tell(state: "stale" | "recovered", outage: string | null): Promise<void> {
    const { log, clock, metrics } = this.#deps;
    const head = await log.head();
    const name = outage ?? formatCursor(head);
    const event = buildControlEvent(
      { kind: "scope", scope: null, state, ...(outage === null ? this.#why() : { reason: OVER }) },
      {
        source: this.#options.source,
        nomadEpoch: head.nomadEpoch,
        observedAt: new Date(clock.now()).toISOString(),
        discriminator: name,
      },
    );
    const sequence = await log.tellOutage({ from: outage, to: outage === null ? name : null, event });
    if (sequence === undefined) return;
    metrics.events.inc({ type: event.type });
    metrics.logSequence.set(sequence);
  }

  /** What most scopes fail with, and the last time that all were known to be true. */
  #why(): { reason: string; since?: string } {
    const failures = [...this.#failing.values()];
    const [most] = [...Map.groupBy(failures, ({ reason }) => reason)].toSorted(
      ([, some], [, others]) => others.length - some.length,
    );
    const [since] = failures.flatMap(({ observedAt }) => observedAt ?? []).toSorted();
    return { reason: most?.[0] ?? "", ...(since !== undefined && { since }) };
  }

  /**
   * By then a scope of another process that cannot be read is in trouble too: its query ended, and it tried for long.
   */
  get #patienceMs(): number {
    const { waitMs, staleAfterMs } = this.#options;
    return waitMs + waitMs / 16 + 3 * staleAfterMs;
  }
}
