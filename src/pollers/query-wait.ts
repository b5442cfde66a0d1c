import type { NomadError } from "../nomad/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../shared/clock.ts";

/** What ends sooner is likely to have another cause than a limit on silence, ms. */
const SHORTEST_LIMIT_MS = 2_000;
const SHORTEST_WAIT_MS = 1_000;
/** Two ages are of one limit if they differ by no more than this share of them, or this long. */
const ALIKE_SHARE = 0.05;
const ALIKE_MS = 500;
const REMEMBERED = 16;
/** What the new wait leaves of the limit, with Nomad's sixteenth. */
const MARGIN = 0.95;
const CUT_STATUSES: ReadonlySet<number> = new Set([408, 502, 503, 504]);

/** A blocking query that something between ended, on the clock's `elapsed`. */
interface Ending {
  readonly ageMs: number;
  readonly atMs: number;
}

/**
 * How long Nomad may hold a query. Proxies and load balancers end an answer that stays silent for long, often after
 * 60 s. Where a second query ends early at about the age of an earlier one, the wait of all is shortened, so that the
 * next ones end in time.
 */
export class QueryWait {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #endings: Ending[] = [];
  #waitMs: number;

  constructor(waitMs: number, logger: Logger, clock: Clock) {
    this.#waitMs = waitMs;
    this.#logger = logger;
    this.#clock = clock;
  }

  get waitMs(): number {
    return this.#waitMs;
  }

  /**
   * Whether a blocking query that failed so, asked with this wait, was ended by something that did not let it wait:
   * Nomad itself had nothing to say yet, and the index it was asked with is still good.
   */
  endedEarly(error: NomadError, askedWaitMs: number): boolean {
    const { heldMs: ageMs } = error;
    if (ageMs === undefined || ageMs < SHORTEST_LIMIT_MS || ageMs >= longest(askedWaitMs) || !isCut(error)) {
      return false;
    }
    this.#learn({ ageMs, atMs: this.#clock.elapsed() });
    return true;
  }

  #learn(ending: Ending): void {
    // Queries that were held at the same time may all have been ended by one restart.
    const startedAtMs = ending.atMs - ending.ageMs;
    const earlier = this.#endings.find(({ atMs, ageMs }) => {
      const apart = Math.abs(ageMs - ending.ageMs);
      return atMs <= startedAtMs && apart <= Math.max(ALIKE_MS, ageMs * ALIKE_SHARE);
    });
    this.#endings.push(ending);
    if (this.#endings.length > REMEMBERED) this.#endings.shift();
    if (earlier === undefined) return;
    const limitMs = Math.min(earlier.ageMs, ending.ageMs);
    const waitMs = Math.max(SHORTEST_WAIT_MS, Math.floor((limitMs * MARGIN * 16) / 17));
    if (waitMs >= this.#waitMs) return;
    this.#waitMs = waitMs;
    this.#logger.warn(
      { limitMs: Math.round(limitMs), waitMs, hint: "Raise that limit, or set --wait below it" },
      `something between this process and Nomad ends queries after ${seconds(limitMs)} s; queries now wait at most ${seconds(waitMs)} s`,
    );
  }
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
