import type { ListResponse } from "../nomad/api.ts";
import { NomadError } from "../nomad/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../shared/clock.ts";

/** What ends sooner is likely to have another cause than a limit on silence, ms. */
const SHORTEST_LIMIT_MS = 2_000;
const SHORTEST_WAIT_MS = 1_000;
/** Two ages are of one limit if they differ by no more than this share of them, or this long. */
const ALIKE_SHARE = 0.05;
const ALIKE_MS = 500;
const REMEMBERED = 16;
/** By so much two clocks may take a query that was held to its end for shorter. */
const EARLY_MS = 100;
/** What the new wait leaves of the limit, with Nomad's sixteenth. */
const MARGIN = 0.95;
const CUT_STATUSES: ReadonlySet<number> = new Set([408, 502, 503, 504]);

/** The whole wait is tried after so long without an early end; the next time after twice that, and so on. */
const FIRST_TRY_AFTER_MS = 60 * 60_000;
const MOST_TRY_AFTER_MS = 24 * 60 * 60_000;

/** A blocking query that something between ended, on the clock's `elapsed`. */
interface Ending {
  readonly ageMs: number;
  readonly atMs: number;
}

/** A blocking query that is about to be sent. Call one of the two when it has ended. */
export interface HeldQuery {
  /** How long Nomad may hold it. */
  readonly waitMs: number;
  answered(response: Pick<ListResponse, "elapsedMs" | "readMs">): void;
  /**
   * Whether a query that failed so was ended by something that did not let it wait: Nomad itself had nothing to say
   * yet, and the index it was asked with is still good.
   */
  endedEarly(error: unknown): boolean;
}

/**
 * How long Nomad may hold a query. Proxies and load balancers end an answer that stays silent for long, often after
 * 60 s. Where a second query ends early at about the age of an earlier one, the wait of all is shortened, so that the
 * next ones end in time. It may have been another cause, or one that is gone: after a long time in which none ended
 * early, a single query tries the whole wait, and the others follow where it is held.
 */
export class QueryWait {
  readonly #wholeMs: number;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #endings: Ending[] = [];
  #waitMs: number;
  /** The age at which queries were ended; null while the wait is whole. */
  #limitMs: number | null = null;
  /** The last limit that was warned of: nobody need hear of it again. */
  #warnedOfMs: number | null = null;
  /** Whether a query was held for its whole wait since one was ended early. */
  #isCalm = false;
  /** When a query was ended early last, and when one tried the whole wait, on the clock's `elapsed`. */
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #tryAfterMs = FIRST_TRY_AFTER_MS;

  constructor(waitMs: number, logger: Logger, clock: Clock) {
    this.#wholeMs = waitMs;
    this.#waitMs = waitMs;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** For a query that is sent now. */
  next(): HeldQuery {
    const isTry = this.#isTryDue();
    if (isTry) this.#triedAtMs = this.#clock.elapsed();
    const waitMs = isTry ? this.#wholeMs : this.#waitMs;
    return {
      waitMs,
      answered: ({ elapsedMs, readMs }) => {
        const heldMs = elapsedMs - readMs;
        const isWhole = heldMs >= waitMs - EARLY_MS;
        if (isWhole) this.#isCalm = true;
        if (isTry) this.#tryAnswered(isWhole && heldMs > (this.#limitMs ?? 0));
      },
      endedEarly: (error) => {
        const ageMs = earlyAge(error, waitMs);
        if (isTry) this.#tryFailed(error, ageMs);
        if (ageMs === undefined) return false;
        this.#isCalm = false;
        this.#endedAtMs = this.#clock.elapsed();
        // What ends the one that tries is no news.
        if (!isTry) this.#learn({ ageMs, atMs: this.#endedAtMs });
        return true;
      },
    };
  }

  #isTryDue(): boolean {
    const sinceMs = Math.max(this.#endedAtMs, this.#triedAtMs);
    return this.#limitMs !== null && this.#isCalm && this.#clock.elapsed() - sinceMs >= this.#tryAfterMs;
  }

  #tryAnswered(isProof: boolean): void {
    if (isProof) {
      this.#tryLater();
      this.#lengthen(null);
    } else this.#tryAgain();
  }

  #tryFailed(error: unknown, ageMs: number | undefined): void {
    // Given up from here, it says nothing.
    if (!(error instanceof NomadError)) {
      this.#tryAgain();
      return;
    }
    // Nomad's own failures say nothing of a limit either; but what takes long is not tried at once again.
    if (ageMs === undefined) return;
    this.#tryLater();
    const limitMs = this.#limitMs ?? Number.POSITIVE_INFINITY;
    if (ageMs > limitMs && !areAlike(ageMs, limitMs)) this.#lengthen(ageMs);
  }

  /** It told nothing; the next query may try. */
  #tryAgain(): void {
    this.#triedAtMs = Number.NEGATIVE_INFINITY;
  }

  #tryLater(): void {
    this.#tryAfterMs = Math.min(2 * this.#tryAfterMs, MOST_TRY_AFTER_MS);
  }

  /** The former limit is gone; `limitMs`: how long a query was held all the same, null where nothing ended it. */
  #lengthen(limitMs: number | null): void {
    const waitMs = limitMs === null ? this.#wholeMs : waitWithin(limitMs);
    if (waitMs <= this.#waitMs) return;
    this.#limitMs = limitMs;
    this.#waitMs = waitMs;
    this.#endings.length = 0;
    this.#logger.info(
      { waitMs },
      `queries to Nomad are held for longer again; they now wait at most ${seconds(waitMs)} s`,
    );
  }

  #learn(ending: Ending): void {
    // Queries that were held at the same time may all have been ended by one restart.
    const startedAtMs = ending.atMs - ending.ageMs;
    const earlier = this.#endings.find(
      ({ atMs, ageMs }) => atMs <= startedAtMs && areAlike(ending.ageMs, ageMs),
    );
    this.#endings.push(ending);
    if (this.#endings.length > REMEMBERED) this.#endings.shift();
    if (earlier !== undefined) this.#shorten(Math.min(earlier.ageMs, ending.ageMs));
  }

  #shorten(limitMs: number): void {
    const waitMs = waitWithin(limitMs);
    if (waitMs >= this.#waitMs) return;
    this.#waitMs = waitMs;
    this.#limitMs = limitMs;
    const isNews = this.#warnedOfMs === null || !areAlike(limitMs, this.#warnedOfMs);
    this.#warnedOfMs = limitMs;
    this.#logger[isNews ? "warn" : "info"](
      { limitMs: Math.round(limitMs), waitMs, hint: "Raise that limit, or set --wait below it" },
      `something between this process and Nomad ends queries after ${seconds(limitMs)} s; queries now wait at most ${seconds(waitMs)} s`,
    );
  }
}

/** The age of a blocking query that failed so; undefined where nothing ended it early. */
function earlyAge(error: unknown, waitMs: number): number | undefined {
  if (!(error instanceof NomadError) || !isCut(error)) return undefined;
  const { heldMs } = error;
  return heldMs !== undefined && heldMs >= SHORTEST_LIMIT_MS && heldMs < longest(waitMs) ? heldMs : undefined;
}

function areAlike(ageMs: number, earlierMs: number): boolean {
  return Math.abs(earlierMs - ageMs) <= Math.max(ALIKE_MS, earlierMs * ALIKE_SHARE);
}

/** The wait of queries that end by themselves before they are so old. */
function waitWithin(limitMs: number): number {
  return Math.max(SHORTEST_WAIT_MS, Math.floor((limitMs * MARGIN * 16) / 17));
}

/** Nomad adds up to a sixteenth to the wait. */
function longest(waitMs: number): number {
  return (waitMs * 17) / 16;
}

/** A gateway's error, a page in place of a list, or a connection that was closed. */
function isCut({ code, status }: NomadError): boolean {
  if (code === "NOMAD_UNREACHABLE" || code === "NOMAD_BAD_RESPONSE") return true;
  return status !== undefined && CUT_STATUSES.has(status);
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
