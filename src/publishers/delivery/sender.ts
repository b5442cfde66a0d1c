import type { Logger } from "../../telemetry/logger.ts";
import type { Tracer, TraceSpan } from "../../telemetry/tracing.ts";
import type { Attempts, Sent } from "./attempts.ts";
import { delayOf, type Circuit, type ClosedDoor } from "./circuit.ts";
import type { Destination, Outgoing } from "./destination.ts";
import type { Meter } from "./meter.ts";
import type { DeliveryOptions } from "./options.ts";
import { park, type ParkingDeps } from "./parking.ts";
import { RareLine } from "./rare-line.ts";
import { Sends } from "./send.ts";
import { endSend, traceSend } from "./trace.ts";
import type { Pending, Taken, Window } from "./window.ts";

export interface SenderDeps extends ParkingDeps {
  readonly logger: Logger;
  readonly random: () => number;
  readonly meter: Meter;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

/** What serves one destination, and outlives a change of the place it is served from. */
export interface Outlet {
  readonly destination: Destination;
  readonly options: DeliveryOptions;
  readonly circuit: Circuit;
  readonly attempts: Attempts;
}

/** Sends batches of a window and deals with the answers: each event is settled, or put back. */
export class Sender implements Disposable {
  readonly #destination: Destination;
  readonly #options: DeliveryOptions;
  readonly #circuit: Circuit;
  readonly #attempts: Attempts;
  readonly #window: Window;
  readonly #stop: AbortSignal;
  readonly #deps: SenderDeps;
  readonly #lines: RareLine;
  readonly #sends: Sends;
  /** Events that hold their subjects up, and were told of. */
  readonly #blocking = new WeakSet<Pending>();

  /** Once `stop` aborts, what is under way counts as not sent. */
  constructor(window: Window, outlet: Outlet, stop: AbortSignal, deps: SenderDeps) {
    this.#destination = outlet.destination;
    this.#options = outlet.options;
    this.#circuit = outlet.circuit;
    this.#attempts = outlet.attempts;
    this.#window = window;
    this.#stop = stop;
    this.#deps = deps;
    this.#lines = new RareLine(deps.clock);
    this.#sends = new Sends({ clock: deps.clock, timeoutMs: outlet.options.timeoutMs, stop });
  }

  [Symbol.dispose](): void {
    this.#sends[Symbol.dispose]();
  }

  /** Sends a batch, or a part of one. Answers whether what comes after it in the batch may be sent now. */
  async send(part: Taken): Promise<boolean> {
    const events = part.map(({ event }) => event);
    const [atMs, beganAtMs] = [this.#deps.clock.now(), this.#deps.clock.elapsed()];
    this.#begins(part, beganAtMs);
    const span = this.#spanOf(part, events);
    const result = await this.#sends.once((until) =>
      this.#destination.send(events, until, span?.traceparent),
    );
    endSend(span, result);
    if (result === undefined) return this.#putBack(part);
    this.#answered({ events: part.length, firstId: events[0]?.id ?? null, result, atMs }, beganAtMs);
    if (result.outcome === "ok") return this.#delivered(part);
    const { concerned, taken } = divided(part, result.which);
    if (taken.length > 0) this.#delivered(taken);
    if (concerned.length === 0) return true;
    if (result.outcome === "retry") return this.#retry(concerned, part, { ...result, beganAtMs });
    if (isClosedDoor(result.why)) {
      this.#circuit.refused(result.why, result.reason);
      return this.#putBack(concerned);
    }
    this.#worked();
    return result.which === undefined && part.length > 1
      ? this.#bisect(part)
      : this.#refused(concerned, result.why, result.reason);
  }

  #spanOf([first]: Taken, events: readonly Outgoing[]): TraceSpan | undefined {
    const { name } = this.#options;
    const sending = { name, target: this.#destination.target, attempt: first?.attempts ?? 1 };
    return traceSend(this.#deps.tracer, events, sending);
  }

  #begins(part: Taken, nowMs: number): void {
    for (const event of part) {
      event.attempts += 1;
      this.#deps.meter.sent(nowMs - event.pickedAtMs);
    }
  }

  #answered(sent: Omit<Sent, "ms">, beganAtMs: number): void {
    const { clock, meter } = this.#deps;
    const ms = clock.elapsed() - beganAtMs;
    meter.attempted(sent.result.outcome, ms);
    this.#attempts.add({ ...sent, ms });
  }

  /** An answer that is about the events shows that the destination is there. */
  #worked(): void {
    if (this.#circuit.worked()) this.#window.waitNoLonger();
  }

  #delivered(events: Taken): true {
    this.#worked();
    this.#window.settle(events);
    this.#deps.meter.done("delivered", events.length);
    return true;
  }

  #putBack(events: Taken, notBeforeMs = 0): false {
    this.#window.putBack(events, notBeforeMs);
    return false;
  }

  #retry(
    events: Taken,
    part: Taken,
    { reason, beganAtMs, afterMs = 0 }: { reason: string; beganAtMs: number; afterMs?: number },
  ): false {
    this.#deps.meter.again(events.length);
    // Where it took some, it is there.
    if (events.length === part.length || afterMs > 0) this.#circuit.failed(reason, { beganAtMs, afterMs });
    return this.#putBack(events, this.#circuit.isProbing ? 0 : this.#restUntilMs(events));
  }

  /** One half after the other, until those are found that are refused. */
  async #bisect(part: Taken): Promise<boolean> {
    const middle = part.length >> 1;
    const rest = part.slice(middle);
    if (!(await this.send(part.slice(0, middle)))) return this.#putBack(rest);
    return this.send(rest);
  }

  async #refused(events: Taken, why: "poison" | "too-large" | "too-old", reason: string): Promise<boolean> {
    for (const [position, event] of events.entries()) {
      if (why !== "too-old" && this.#options.onPoison === "block") {
        const rest = events.slice(position);
        this.#block(rest, reason);
        return this.#putBack(rest, this.#restUntilMs(rest));
      }
      const outcome =
        why === "too-old" ? this.#passOver(event, reason) : await this.#park(event, `${why}: ${reason}`);
      if (outcome === undefined) return this.#putBack(events.slice(position));
      this.#window.settle([event]);
      this.#deps.meter.done(outcome);
    }
    return true;
  }

  #block([first]: Taken, reason: string): void {
    if (first === undefined || this.#blocking.has(first)) return;
    this.#blocking.add(first);
    this.#say(first, reason, "destination refuses an event; its subject waits for it, as onPoison says");
  }

  #passOver(event: Pending, reason: string): "too-old" {
    this.#say(event, reason, "event is too old for the destination; going on");
    return "too-old";
  }

  /** Undefined where it stays where it is. */
  async #park(event: Pending, reason: string): Promise<"parked" | "unparked" | undefined> {
    const outcome = await park(event, reason, this.#deps, this.#stop);
    if (outcome === "full")
      this.#circuit.refused(
        "dead-letters-full",
        `there are as many as there may be; the last one: ${reason}`,
      );
    if (outcome === "parked")
      this.#say(event, reason, "destination refuses an event; it is among the dead letters now");
    if (outcome === "unparked") this.#say(event, reason, "destination refuses a notice; going on without it");
    return outcome === "full" ? undefined : outcome;
  }

  /** Where many events are refused, not of each: metrics count them, and dead letters name them. */
  #say({ event: { id } }: Pending, reason: string, text: string): void {
    const { name } = this.#options;
    this.#lines.offer((unsaid) => {
      const others = unsaid > 0 && { othersSinceLastLine: unsaid };
      this.#deps.logger.warn({ destination: name, id, reason, ...others }, text);
    });
  }

  #restUntilMs(events: Taken): number {
    const { clock, random } = this.#deps;
    const { retry } = this.#options;
    for (const event of events) event.putOff += 1;
    return clock.elapsed() + delayOf({ retry, random }, events[0]?.putOff ?? 1);
  }
}

function divided(part: Taken, which: readonly number[] | undefined): { concerned: Taken; taken: Taken } {
  if (which === undefined) return { concerned: part, taken: [] };
  const positions = new Set(which);
  return {
    concerned: part.filter((_, position) => positions.has(position)),
    taken: part.filter((_, position) => !positions.has(position)),
  };
}

function isClosedDoor(why: string): why is ClosedDoor {
  return why === "gone" || why === "forbidden" || why === "config";
}
