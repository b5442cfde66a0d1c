import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Refusal } from "./destination.ts";
import type { RetrySchedule } from "./options.ts";

/** A destination of which nothing but failures was heard is taken for dead after so many attempts, or so long. */
const OPEN_AFTER_ATTEMPTS = 5;
const OPEN_AFTER_MS = 60_000;
/** What a destination may ask for at most: a broken one must not stop its events for days. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

export interface OpenCircuit {
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
}

export interface CircuitDeps {
  readonly name: string;
  readonly target: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly retry: RetrySchedule;
}

/** Refusals that are about all events, and what to do about each. */
const CLOSED_DOORS = new Map<string, string>([
  ["gone", "The destination says that it is gone for good: take it out of the configuration, or mend it"],
  ["forbidden", "Mend the credentials: the destination refuses them"],
  ["config", "Mend the destination's settings, or the destination"],
  ["dead-letters-full", "Deliver or drop its dead letters: nomad-changefeed deliveries dead-letters"],
]);
export type ClosedDoor = Exclude<Refusal, "poison" | "too-large" | "too-old"> | "dead-letters-full";

/**
 * Whether a destination may be asked now. After each failure that follows another it is left alone for a while, and
 * then asked with one batch only. Once there were enough of them the circuit is open, which people are told; it goes on
 * to be asked now and then, for ever, and the first answer that is none of its own failures closes it.
 */
export class Circuit {
  readonly #deps: CircuitDeps;
  #open: OpenCircuit | undefined;
  /** Failures in a row, those at the same time counted once. */
  #failures = 0;
  #failingSinceMs = 0;
  #lastFailureMs = Number.NEGATIVE_INFINITY;
  #holdUntilMs = 0;
  /** As the destination itself asked for. */
  #askedUntilMs = 0;
  #reason: string | null = null;

  /** `open`: as it was left, by this process or another. */
  constructor(open: OpenCircuit | null, deps: CircuitDeps) {
    this.#open = open ?? undefined;
    this.#reason = open?.reason ?? null;
    this.#deps = deps;
  }

  get open(): OpenCircuit | null {
    return this.#open ?? null;
  }

  /** Why the last attempt failed; null where it did not. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Whether it is to be asked with one batch at a time. */
  get isProbing(): boolean {
    return this.#open !== undefined || this.#failures > 1;
  }

  /** For how long it is to be left alone, ms. */
  get holdMs(): number {
    return Math.max(0, Math.max(this.#holdUntilMs, this.#askedUntilMs) - this.#deps.clock.elapsed());
  }

  /** It may be asked at once: somebody says that it was mended. */
  hurry(): void {
    this.#holdUntilMs = 0;
    this.#askedUntilMs = 0;
  }

  /** It answered, and took something or refused an event for what that is. Answers whether it was failing before. */
  worked(): boolean {
    const wasFailing = this.isProbing;
    this.#failures = 0;
    // Where it asked to be left alone, that is why nothing is sent.
    if (this.#askedUntilMs <= this.#deps.clock.elapsed()) this.#reason = null;
    this.#holdUntilMs = 0;
    if (this.#open !== undefined) this.#close(this.#open);
    return wasFailing;
  }

  /** An attempt that began at `beganAtMs` failed, and may go well the next time. */
  failed(reason: string, { beganAtMs, afterMs = 0 }: { beganAtMs: number; afterMs?: number }): void {
    const now = this.#deps.clock.elapsed();
    this.#reason = reason;
    if (this.#failures === 0) this.#failingSinceMs = now;
    // Those that were under way with one that failed say nothing new.
    if (beganAtMs > this.#lastFailureMs) {
      this.#failures += 1;
      this.#lastFailureMs = now;
      if (this.isProbing) this.#hold(delayOf(this.#deps, this.#failures - 1));
    }
    this.#askedUntilMs = Math.max(this.#askedUntilMs, now + Math.min(afterMs, LONGEST_RETRY_AFTER_MS));
    const isDead =
      this.#failures >= OPEN_AFTER_ATTEMPTS ||
      (this.#failures > 1 && now - this.#failingSinceMs >= OPEN_AFTER_MS);
    if (isDead) this.#openFor(reason, "Look whether the destination is there");
  }

  /** It refuses everything. */
  refused(why: ClosedDoor, reason: string): void {
    this.#failures += 1;
    this.#lastFailureMs = this.#deps.clock.elapsed();
    this.#reason = `${why}: ${reason}`;
    const { retry } = this.#deps;
    // What is gone for good is asked as seldom as there is.
    this.#hold(why === "gone" ? retry.mostMs : delayOf(this.#deps, this.#failures));
    this.#openFor(this.#reason, CLOSED_DOORS.get(why) ?? "");
  }

  #hold(ms: number): void {
    this.#holdUntilMs = Math.max(this.#holdUntilMs, this.#deps.clock.elapsed() + ms);
  }

  #openFor(reason: string, hint: string): void {
    if (this.#open !== undefined) return;
    const { clock, logger, name, target } = this.#deps;
    this.#open = { at: new Date(clock.now()).toISOString(), reason };
    logger.warn(
      { destination: name, target, reason, hint: `${hint}. It is tried again by itself` },
      "destination does not take events; its deliveries wait, and nothing is lost while the log holds them",
    );
  }

  #close({ at }: OpenCircuit): void {
    const { logger, name, target } = this.#deps;
    this.#open = undefined;
    logger.info({ destination: name, target, since: at }, "destination takes events again");
  }
}

/** How long to wait after so many failures, ms: full jitter, but never nothing. */
export function delayOf(
  { retry, random }: { readonly retry: RetrySchedule; readonly random: () => number },
  failures: number,
): number {
  const ceiling = Math.min(retry.mostMs, retry.firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(1, Math.round(random() * ceiling));
}
