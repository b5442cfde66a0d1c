import { ChangefeedError } from "../schemas/errors.ts";
import { publicReason } from "../schemas/public-text.ts";
import type { Clock } from "../shared/clock.ts";

/** How a scope gets on: when it was read last, what has kept it since, and for how long. */
export class ScopeProgress {
  readonly #clock: Clock;
  #lastOk: { readonly atMs: number; readonly elapsedMs: number } | null = null;
  #firstFailureAtMs: number | null = null;
  #failure: string | null = null;
  #lastMoveAtMs: number;
  /** Since when it waits for the log to take what was read. */
  #takingSinceMs: number | null = null;
  /** Since it was read last it claimed the scope anew, or tries to; `passing`: time may cure the reason. */
  #startedOver: { readonly passing: boolean } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMoveAtMs = clock.elapsed();
  }

  get lastOkAtMs(): number | null {
    return this.#lastOk?.atMs ?? null;
  }

  get sinceOkMs(): number | null {
    return this.#lastOk === null ? null : this.#clock.elapsed() - this.#lastOk.elapsedMs;
  }

  /** By the clock's `elapsed`. */
  get lastMoveAtMs(): number {
    return this.#lastMoveAtMs;
  }

  /** Whether it was read at the last try. */
  get wasRead(): boolean {
    return this.#lastOk !== null && this.#firstFailureAtMs === null;
  }

  /** Why it was not read, in words for everybody; null where it was. */
  get failure(): string | null {
    return this.#failure;
  }

  get startedOver(): boolean {
    return this.#startedOver !== null;
  }

  /** Whether it starts over for a reason that does not pass by itself. */
  get isBroken(): boolean {
    return this.#startedOver?.passing === false;
  }

  /** How long the log has not taken what was read, ms. */
  get takingMs(): number {
    return this.#takingSinceMs === null ? 0 : this.#clock.elapsed() - this.#takingSinceMs;
  }

  moved(): void {
    this.#lastMoveAtMs = this.#clock.elapsed();
  }

  takes(): void {
    this.#takingSinceMs = this.#clock.elapsed();
  }

  /** What was read is in the log. */
  succeeded(): void {
    this.#takingSinceMs = null;
    this.#firstFailureAtMs = null;
    this.#failure = null;
    this.#startedOver = null;
    this.#lastOk = { atMs: this.#clock.now(), elapsedMs: this.#clock.elapsed() };
  }

  /** Answers for how long it has been failing since it was read last, ms, and why in words for everybody. */
  failed(error: unknown): { failingMs: number; reason: string } {
    const now = this.#clock.elapsed();
    this.#firstFailureAtMs ??= now;
    const reason = publicReason(error);
    this.#failure = reason;
    return { failingMs: now - this.#firstFailureAtMs, reason };
  }

  /** The same, where it has to claim the scope anew. */
  startsOver(error: unknown): { failingMs: number; reason: string } {
    this.#takingSinceMs = null;
    this.#startedOver = { passing: error instanceof ChangefeedError && error.retryable };
    return this.failed(error);
  }
}
