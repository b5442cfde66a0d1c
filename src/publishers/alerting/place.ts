import type { AlertJson, DestinationState } from "../../schemas/alert-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Attempts } from "../delivery/attempts.ts";
import { Circuit, delayOf } from "../delivery/circuit.ts";
import type { SendResult } from "../delivery/destination.ts";
import type { Meter } from "../delivery/meter.ts";
import type { RetrySchedule } from "../delivery/options.ts";
import { sendOnce } from "../delivery/send.ts";
import { NOT_STEERED, type Steered } from "./alert-steering.ts";

/** Something to tell of that was not taken yet. */
export interface WaitingMessage {
  /** "namespace default, job web". */
  readonly about: string;
  /** Since when it is to be told, ms since 1970. */
  readonly sinceMs: number;
  /** When the routes let it out; null: not before a mute window is over. */
  readonly dueAtMs: number | null;
}

export interface PlaceOptions {
  readonly name: string;
  /** For people; never a secret. */
  readonly target: string;
  readonly timeoutMs: number;
  readonly retry: RetrySchedule;
  /** What it has not taken yet. */
  readonly waiting: () => readonly WaitingMessage[];
}

export interface PlaceDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Kept for longer than a change of the configuration. */
  readonly attempts: Attempts;
}

/** One place that is told of alerts, with one send at a time: whether it may be told now, and how that went. */
export class Place {
  readonly #options: PlaceOptions;
  readonly #deps: PlaceDeps;
  readonly #circuit: Circuit;
  #steered: Steered = NOT_STEERED;
  #isBusy = false;
  #beganAtMs = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #lastOkMs: number | undefined;
  #refusal: string | undefined;
  #lastSaid: string | undefined;

  constructor(options: PlaceOptions, deps: PlaceDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#circuit = new Circuit(null, { ...deps, ...options });
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  get isPaused(): boolean {
    return this.#steered.paused !== null;
  }

  /** For how long it is to be left alone after failures, ms. */
  get holdMs(): number {
    return Math.max(0, this.#circuit.holdMs, this.#notBeforeMs - this.#deps.clock.elapsed());
  }

  /** When it took something last, ms since 1970. */
  get lastOkMs(): number | undefined {
    return this.#lastOkMs;
  }

  get state(): DestinationState {
    const { reason, open } = this.#circuit;
    const { paused } = this.#steered;
    const state = open === null ? (reason === null ? "ok" : "retrying") : "circuit-open";
    return {
      name: this.#options.name,
      target: this.#options.target,
      state: paused === null ? state : "paused",
      reason: paused === null ? (reason ?? this.#refusal ?? null) : paused.reason,
      since: paused?.at ?? open?.at ?? null,
      lastOkAt: this.#lastOkMs === undefined ? null : new Date(this.#lastOkMs).toISOString(),
      waiting: this.#options.waiting().length,
      lagMs: this.#lagMs(),
    };
  }

  get waiting(): readonly WaitingMessage[] {
    return this.#options.waiting();
  }

  /** As people want it; whatever kept it from being told, it may be told at once after it was resumed. */
  steer(steered: Steered): void {
    if (steered.resumes > this.#steered.resumes) {
      this.#circuit.hurry();
      this.#notBeforeMs = 0;
    }
    this.#steered = steered;
  }

  /** Undefined once `signal` aborts: nobody knows what became of it. */
  async send<Result extends SendResult>(
    alerts: readonly AlertJson[],
    send: (signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result | SendResult | undefined> {
    const { clock, meter, attempts } = this.#deps;
    const atMs = clock.now();
    this.#beganAtMs = clock.elapsed();
    this.#isBusy = true;
    try {
      const result = await sendOnce(send, { clock, timeoutMs: this.#options.timeoutMs, stop: signal });
      if (result === undefined) return undefined;
      const ms = clock.elapsed() - this.#beganAtMs;
      if (this.#failures > 0) meter.again(1);
      meter.attempted(result.outcome, ms);
      attempts.add({ events: alerts.length, firstId: alerts[0]?.id ?? null, result, atMs, ms });
      return result;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Takes account of an answer. Whether the same need not be sent again: it was taken, or never will be. */
  took(result: SendResult, alerts: readonly AlertJson[]): boolean {
    if (result.outcome === "retry") {
      const { reason, afterMs = 0 } = result;
      this.#fail(() => this.#circuit.failed(reason, { beganAtMs: this.#beganAtMs, afterMs }));
      return false;
    }
    if (result.outcome === "refused") {
      const { why, reason } = result;
      if (why === "gone" || why === "forbidden" || why === "config") {
        this.#fail(() => this.#circuit.refused(why, reason));
        return false;
      }
      this.#refused(reason, alerts);
    } else this.#refusal = undefined;
    this.#deps.meter.done(result.outcome === "ok" ? "delivered" : "unparked");
    this.#circuit.worked();
    this.#failures = 0;
    this.#lastOkMs = this.#deps.clock.now();
    return true;
  }

  /** Shows how it stands in the metrics. */
  show(): void {
    const isOpen = this.#circuit.open !== null;
    const lagMs = this.#lagMs();
    const { isPaused } = this;
    this.#deps.meter.show({ lagEvents: undefined, lagMs, isOpen, isPaused, pendingBytes: 0 });
  }

  /** Nobody is told here any more. */
  forget(): void {
    this.#deps.meter.forget();
  }

  /** For how long the oldest of what waits could have been told. */
  #lagMs(): number {
    const dues = this.#options.waiting().flatMap(({ dueAtMs }) => dueAtMs ?? []);
    return dues.length === 0 ? 0 : Math.max(0, Math.round(this.#deps.clock.now() - Math.min(...dues)));
  }

  #refused(reason: string, [first]: readonly AlertJson[]): void {
    const { name: destination, target } = this.#options;
    this.#refusal = reason;
    const said = `${reason} ${first?.id}`;
    // What is sent again and again is refused again and again.
    if (said === this.#lastSaid) return;
    this.#lastSaid = said;
    this.#deps.logger.error(
      { destination, target, reason, alert: first?.summary },
      "destination refuses a message about alerts",
    );
  }

  #fail(tell: () => void): void {
    const { clock, random } = this.#deps;
    tell();
    this.#failures += 1;
    const { retry } = this.#options;
    this.#notBeforeMs = clock.elapsed() + delayOf({ retry, random }, this.#failures);
  }
}
