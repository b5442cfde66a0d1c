import type { DestinationState } from "../../schemas/alert-schema.ts";
import type { NotifiedConfig } from "../../schemas/destinations/told.ts";
import { Circuit, delayOf } from "../delivery/circuit.ts";
import type { SendResult } from "../delivery/destination.ts";
import { sendOnce } from "../delivery/send.ts";
import type { AlertDestination, AlertMessage, AlertSendResult } from "./alert-destination.ts";
import type { RepeaterDeps } from "./repeater.ts";

/** One destination for people: whether it can be told now, and how that went. */
export class Outlet implements AsyncDisposable {
  readonly fingerprint: string;
  readonly #config: NotifiedConfig;
  readonly #destination: AlertDestination;
  readonly #deps: RepeaterDeps;
  readonly #circuit: Circuit;
  #isBusy = false;
  #beganAtMs = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #lastOkMs: number | undefined;
  #refusal: string | undefined;

  constructor(config: NotifiedConfig, destination: AlertDestination, deps: RepeaterDeps) {
    this.fingerprint = config.fingerprint;
    this.#config = config;
    this.#destination = destination;
    this.#deps = deps;
    const { name } = config;
    this.#circuit = new Circuit(null, { ...deps, name, target: destination.target, retry: this.#retry });
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether it may be told something now. */
  get isFree(): boolean {
    const restMs = Math.max(this.#circuit.holdMs, this.#notBeforeMs - this.#deps.clock.elapsed());
    return !this.#isBusy && restMs <= 0;
  }

  get state(): DestinationState {
    const { reason, open } = this.#circuit;
    return {
      name: this.#config.name,
      target: this.#destination.target,
      state: open === null ? (reason === null ? "ok" : "retrying") : "circuit-open",
      reason: reason ?? this.#refusal ?? null,
      since: open?.at ?? null,
      lastOkAt: this.#lastOkMs === undefined ? null : new Date(this.#lastOkMs).toISOString(),
    };
  }

  /** Undefined once `signal` aborts: nobody knows what became of it. */
  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult | undefined> {
    const { clock, meter } = this.#deps;
    this.#isBusy = true;
    this.#beganAtMs = clock.elapsed();
    try {
      let result: AlertSendResult | undefined;
      const destination = {
        send: async (_: unknown, until: AbortSignal) =>
          (result = await this.#destination.send(message, until)),
      };
      const answered = await sendOnce(destination, [], {
        clock,
        timeoutMs: this.#config.settings.timeout,
        stop: signal,
      });
      if (answered === undefined) return undefined;
      meter.attempted(answered.outcome, clock.elapsed() - this.#beganAtMs);
      return answered === result ? result : answered;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Takes account of an answer. Whether the message need not be sent again: it was taken, or never will be. */
  took(result: SendResult): boolean {
    const isSettled = this.#settles(result);
    const { meter } = this.#deps;
    const isOpen = this.#circuit.open !== null;
    if (isSettled) meter.done(result.outcome === "ok" ? "delivered" : "unparked");
    meter.show({ lagEvents: undefined, lagMs: 0, isOpen, isPaused: false, pendingBytes: 0 });
    return isSettled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deps.meter.forget();
    await this.#destination[Symbol.asyncDispose]();
  }

  #settles(result: SendResult): boolean {
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
      this.#refused(reason);
    } else this.#refusal = undefined;
    this.#circuit.worked();
    this.#failures = 0;
    this.#lastOkMs = this.#deps.clock.now();
    return true;
  }

  #refused(reason: string): void {
    this.#refusal = reason;
    const { name } = this.#config;
    const { target } = this.#destination;
    this.#deps.logger.error(
      { destination: name, target, reason },
      "destination refuses a message about alerts",
    );
  }

  #fail(tell: () => void): void {
    const { clock, random } = this.#deps;
    tell();
    this.#failures += 1;
    this.#notBeforeMs = clock.elapsed() + delayOf({ retry: this.#retry, random }, this.#failures);
  }

  get #retry() {
    const { first, most } = this.#config.settings.retry;
    return { firstMs: first, mostMs: most };
  }
}
