import type { AlertJson, DestinationState } from "../../schemas/alert-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Circuit, delayOf } from "../delivery/circuit.ts";
import type { SendResult } from "../delivery/destination.ts";
import type { Meter } from "../delivery/meter.ts";
import { Nap } from "../delivery/nap.ts";
import type { RetrySchedule } from "../delivery/options.ts";
import { sendOnce } from "../delivery/send.ts";
import type { AlertReplica } from "./alert-replica.ts";
import type { View } from "./firing.ts";

/** What ended is told again for so long. */
const ENDED_MS = 5 * 60_000;
/** Longer ago it has ended there by itself. */
const LONGEST_ENDED_MS = 15 * 60_000;

export interface RepeaterOptions {
  readonly name: string;
  readonly timeoutMs: number;
  readonly retry: RetrySchedule;
}

export interface RepeaterDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly meter: Meter;
}

/**
 * Keeps one destination told of all that fires: what is new at once, all of it again and again, and what ended for a
 * while. It remembers nothing that another process could miss: whoever goes on tells everything anew.
 */
export class Repeater {
  readonly #destination: AlertReplica;
  readonly #options: RepeaterOptions;
  readonly #deps: RepeaterDeps;
  readonly #circuit: Circuit;
  readonly #nap: Nap;
  #view: View | undefined;
  /** What it took, and has not been told again since: beginnings and ends. */
  #told = new Set<string>();
  #failures = 0;
  #lastOkMs: number | undefined;
  #notBeforeMs = 0;
  #wholeAtMs = 0;
  #refusal: string | undefined;

  constructor(destination: AlertReplica, options: RepeaterOptions, deps: RepeaterDeps) {
    this.#destination = destination;
    this.#options = options;
    this.#deps = deps;
    this.#nap = new Nap(deps.clock);
    const { target } = destination;
    this.#circuit = new Circuit(null, { ...deps, ...options, target });
  }

  get state(): Omit<DestinationState, "name"> {
    const { reason, open } = this.#circuit;
    const state = open === null ? (reason === null ? "ok" : "retrying") : "circuit-open";
    const lastOkAt = this.#lastOkMs === undefined ? null : new Date(this.#lastOkMs).toISOString();
    return {
      target: this.#destination.target,
      state,
      reason: reason ?? this.#refusal ?? null,
      since: open?.at ?? null,
      lastOkAt,
    };
  }

  tell(view: View): void {
    const isFirst = this.#view === undefined;
    this.#view = view;
    if (isFirst || this.#news().length > 0) this.#nap.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, meter } = this.#deps;
    try {
      while (!signal.aborted) {
        const restMs = Math.max(this.#dueInMs(), this.#circuit.holdMs, this.#notBeforeMs - clock.elapsed());
        if (restMs > 0) await this.#nap.sleep(restMs, signal);
        else await this.#send(signal);
      }
    } finally {
      meter.forget();
    }
  }

  #dueInMs(): number {
    if (this.#view === undefined) return this.#destination.resendMs;
    return this.#news().length > 0 ? 0 : this.#wholeAtMs - this.#deps.clock.elapsed();
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { clock, meter } = this.#deps;
    const isWhole = clock.elapsed() >= this.#wholeAtMs;
    const alerts = isWhole ? this.#all() : this.#news();
    const beganAtMs = clock.elapsed();
    const destination = {
      send: (_: unknown, until: AbortSignal) => this.#destination.send(alerts, isWhole, until),
    };
    const { timeoutMs } = this.#options;
    const result = await sendOnce(destination, [], { clock, timeoutMs, stop: signal });
    if (result === undefined) return;
    meter.attempted(result.outcome, clock.elapsed() - beganAtMs);
    if (this.#isTaken(result, beganAtMs)) this.#took(alerts, isWhole, beganAtMs);
    const isOpen = this.#circuit.open !== null;
    meter.show({ lagEvents: undefined, lagMs: 0, isOpen, isPaused: false, pendingBytes: 0 });
  }

  /** Whether all was taken that will ever be. */
  #isTaken(result: SendResult, beganAtMs: number): boolean {
    if (result.outcome === "ok") {
      this.#refusal = undefined;
      return true;
    }
    if (result.outcome === "retry") {
      this.#fail(() => this.#circuit.failed(result.reason, { beganAtMs, afterMs: result.afterMs ?? 0 }));
      return false;
    }
    const { why, reason } = result;
    if (why === "gone" || why === "forbidden" || why === "config") {
      this.#fail(() => this.#circuit.refused(why, reason));
      return false;
    }
    if (reason !== this.#refusal) {
      const { name } = this.#options;
      const { target } = this.#destination;
      this.#deps.logger.warn({ destination: name, target, reason }, "destination refuses alerts");
    }
    this.#refusal = reason;
    return true;
  }

  #fail(tell: () => void): void {
    const { clock, random } = this.#deps;
    tell();
    this.#failures += 1;
    this.#notBeforeMs = clock.elapsed() + delayOf({ retry: this.#options.retry, random }, this.#failures);
  }

  #took(alerts: readonly AlertJson[], isWhole: boolean, beganAtMs: number): void {
    const { clock, meter } = this.#deps;
    this.#circuit.worked();
    this.#failures = 0;
    this.#lastOkMs = clock.now();
    if (isWhole) {
      this.#told = new Set();
      this.#wholeAtMs = beganAtMs + this.#destination.resendMs;
    }
    for (const alert of alerts) this.#told.add(keyOf(alert));
    meter.done("delivered", alerts.length);
  }

  /** What it has not heard of: an alert that fires, or its end. */
  #news(): AlertJson[] {
    return this.#all().filter((alert) => !this.#told.has(keyOf(alert)));
  }

  #all(): AlertJson[] {
    const { open, ended } = this.#view ?? { open: [], ended: [] };
    const nowMs = this.#deps.clock.now();
    const sinceMs = nowMs - Math.min(LONGEST_ENDED_MS, Math.max(ENDED_MS, nowMs - (this.#lastOkMs ?? 0)));
    // Of one alert the latest alone: an end that comes after a new beginning would end that.
    const latest = new Map<string, AlertJson>();
    for (const alert of [...open.filter(({ state }) => state === "firing"), ...ended])
      if (!latest.has(alert.id)) latest.set(alert.id, alert);
    return [...latest.values()].filter(({ endsAt }) => endsAt === null || Date.parse(endsAt) >= sinceMs);
  }
}

/** An alert and its end are two things to tell, and one that begins anew is a third. */
function keyOf({ id, startsAt, state }: AlertJson): string {
  return `${state} ${startsAt} ${id}`;
}
