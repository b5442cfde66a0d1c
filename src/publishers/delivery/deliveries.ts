import { LogUnavailable } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { AssignmentStatus } from "../../schemas/assignment-schema.ts";
import { assignmentOf, deliveryOf } from "../../schemas/assignment-schema.ts";
import type { Attempt, DeliveryDetails, DeliveryStatus } from "../../schemas/delivery-schema.ts";
import type { DestinationConfig } from "../../schemas/destinations/index.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Tracer } from "../../telemetry/tracing.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { removeAbandoned } from "./abandoned.ts";
import { attemptOf, Attempts } from "./attempts.ts";
import { Delivery, type DeliveryEnding } from "./delivery.ts";
import type { Destination, Outgoing, SendResult } from "./destination.ts";
import { NoDelivery } from "./errors.ts";
import { DeadLetters } from "./letters.ts";
import { Meter, type DeliveryMetrics } from "./meter.ts";
import { testEvent } from "./outgoing.ts";
import { Overview } from "./overview.ts";
import { deliveredThrough } from "./progress.ts";
import { sendOnce } from "./send.ts";
import { Steering, type ReplayFrom } from "./steering.ts";

const BEGIN_RETRY_MS = 1000;

export interface DeliveriesDeps extends Fanout {
  readonly log: FeedLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DeliveryMetrics;
  /** CloudEvents source of the feed. */
  readonly source: string;
  /** This process, for people: host/process/random. */
  readonly worker: string;
  readonly random: () => number;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Rejects where the settings are wrong. */
  readonly open: (config: DestinationConfig) => Promise<Destination>;
}

/** As the coordination knows it; `drained`: it is not configured any more. */
type Ending = DeliveryEnding | "drained";
type Report = Omit<AssignmentStatus, "assignment" | "state" | "worker" | "since">;

interface Performing {
  /** Aborts where the destination is configured in another way. */
  readonly changed: AbortController;
  readonly destination: Destination;
  delivery: Delivery | undefined;
}

/** What outlives a change of the configuration. */
interface Kept {
  readonly attempts: Attempts;
  readonly meter: Meter;
}

/**
 * All destinations of this process's configuration: delivers to those that fall to it, tells how all of them stand, and
 * changes their positions for people.
 */
export class Deliveries {
  readonly deadLetters: DeadLetters;
  readonly #deps: DeliveriesDeps;
  readonly #steering: Steering;
  readonly #overview: Overview;
  readonly #performing = new Map<string, Performing>();
  readonly #kept = new Map<string, Kept>();
  #configured: ReadonlyMap<string, DestinationConfig> = new Map();
  #begun = 0;

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
    const { log, clock } = deps;
    const configured = (name: string) => this.#configured.get(name);
    this.#steering = new Steering({ log, clock, configured });
    this.#overview = new Overview({
      log,
      configured: () => this.#configured,
      standing: (name) => this.#performing.get(name)?.delivery?.standing(),
    });
    const assertKnown = async (name: string): Promise<void> => void (await this.show(name));
    this.deadLetters = new DeadLetters(log.deadLetters, assertKnown, async (name, event) => {
      const { result } = await this.#sendAlone(name, event);
      return result;
    });
  }

  /** Takes a new configuration: what is unchanged goes on untouched, what changed is opened anew at its position. */
  configure(destinations: readonly DestinationConfig[]): void {
    const before = this.#configured;
    this.#configured = new Map(destinations.map((config) => [config.name, config]));
    for (const [name, { changed }] of this.#performing) {
      if (this.#configured.get(name)?.fingerprint !== before.get(name)?.fingerprint) changed.abort();
    }
    for (const name of this.#kept.keys()) this.#forgetRemoved(name);
  }

  /** A destination that is not configured any more leaves nothing behind here, once its delivery has ended. */
  #forgetRemoved(name: string): void {
    if (this.#configured.has(name) || this.#performing.has(name)) return;
    this.#kept.get(name)?.meter.remove();
    this.#kept.delete(name);
  }

  /** What is configured here, whoever delivers to it. */
  configured(): readonly DestinationConfig[] {
    return [...this.#configured.values()];
  }

  /** Names of the assignments there are: "deliver/<name>". */
  assignments(): string[] {
    return [...this.#configured.keys()].map(assignmentOf);
  }

  /** Delivers until `signal` aborts. Rejects where the destination is not configured here, or cannot be opened. */
  async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    const name = deliveryOf(assignment);
    let ending: DeliveryEnding | undefined;
    while (!signal.aborted && ending !== "fenced") {
      const config = this.#configured.get(name ?? "");
      if (config === undefined && ending !== undefined) return "drained";
      if (config === undefined) throw new Error(`there is no assignment ${assignment} here`);
      ending = await this.#performAs(config, signal);
    }
    return ending ?? "stopped";
  }

  describe(assignment: string): Report {
    const nothing = { reading: null, index: null, objects: null };
    const standing = this.#performing.get(deliveryOf(assignment) ?? "")?.delivery?.standing();
    if (standing === undefined)
      return { ...nothing, condition: "starting", reason: null, lastOkAt: null, lagMs: null };
    const { state, reason, lagMs, attempts } = standing;
    const conditions = { delivering: "ok", paused: null } as const;
    return {
      ...nothing,
      condition: state === "delivering" || state === "paused" ? conditions[state] : "stale",
      reason: state === "paused" ? `paused${reason === null ? "" : `: ${reason}`}` : reason,
      lastOkAt: attempts?.find(({ outcome }) => outcome === "ok")?.at ?? null,
      lagMs,
    };
  }

  list(): Promise<DeliveryStatus[]> {
    return this.#overview.all();
  }

  /** @throws NoDelivery */
  async show(name: string): Promise<DeliveryDetails> {
    const details = await this.#overview.one(name);
    if (details === undefined) throw new NoDelivery(name);
    return details;
  }

  /** The sequence through which it has all that it is to have; undefined where it is not configured here. */
  async through(name: string): Promise<number | undefined> {
    return this.#configured.has(name) ? deliveredThrough(name, this.#deps.log) : undefined;
  }

  /** Nothing is sent until it is resumed; the position stays. @throws NoDelivery */
  async pause(name: string, reason: string | null): Promise<void> {
    await this.#steering.pause(name, reason);
    this.#steered(name);
  }

  /** @throws NoDelivery */
  async resume(name: string): Promise<void> {
    await this.#steering.resume(name);
    this.#steered(name);
  }

  /** @throws NoDelivery, EpochChanged, FutureCursor */
  async replay(name: string, from: ReplayFrom): Promise<void> {
    await this.#steering.replay(name, from);
    this.#steered(name);
  }

  /** Sends one event that is in no log, once. @throws NoDelivery where it is not configured here */
  async test(name: string): Promise<Attempt> {
    const { source, clock } = this.#deps;
    const time = new Date(clock.now()).toISOString();
    const { attempt } = await this.#sendAlone(name, testEvent({ source, name, time }));
    return attempt;
  }

  /** Removes positions of destinations that were taken out of the configuration a day ago. */
  removeAbandoned(): Promise<void> {
    return removeAbandoned((name) => this.#configured.has(name), this.#deps);
  }

  #steered(name: string): void {
    this.#performing.get(name)?.delivery?.steered();
  }

  async #performAs(config: DestinationConfig, signal: AbortSignal): Promise<DeliveryEnding> {
    await using destination = await this.#deps.open(config);
    const changed = new AbortController();
    const both = AbortSignal.any([signal, changed.signal]);
    const performing: Performing = { changed, destination, delivery: undefined };
    this.#performing.set(config.name, performing);
    try {
      performing.delivery = await this.#begin(config, destination, both);
      return (await performing.delivery?.run(both)) ?? "stopped";
    } finally {
      this.#performing.delete(config.name);
      this.#forgetRemoved(config.name);
    }
  }

  /** Undefined where `signal` aborts before the log is there. */
  async #begin(
    config: DestinationConfig,
    destination: Destination,
    signal: AbortSignal,
  ): Promise<Delivery | undefined> {
    const { worker, clock } = this.#deps;
    const { attempts, meter } = this.#keptOf(config.name);
    while (!signal.aborted) {
      this.#begun += 1;
      try {
        const deps = { ...this.#deps, meter, name: config.name };
        return await Delivery.begin(
          `${worker}#${this.#begun}`,
          { options: config, destination, attempts },
          deps,
        );
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        await clock.sleep(BEGIN_RETRY_MS, signal);
      }
    }
    return undefined;
  }

  #keptOf(name: string): Kept {
    const kept = this.#kept.get(name) ?? {
      attempts: new Attempts(),
      meter: new Meter(this.#deps.metrics, name),
    };
    this.#kept.set(name, kept);
    return kept;
  }

  /** Past the order of the others. */
  async #sendAlone(name: string, event: Outgoing): Promise<{ result: SendResult; attempt: Attempt }> {
    const config = this.#configured.get(name);
    if (config === undefined) throw new NoDelivery(name);
    const open = this.#performing.get(name)?.destination;
    if (open !== undefined) return this.#sendTo(open, config, event);
    await using destination = await this.#deps.open(config);
    return await this.#sendTo(destination, config, event);
  }

  async #sendTo(
    destination: Destination,
    { name, timeoutMs }: DestinationConfig,
    event: Outgoing,
  ): Promise<{ result: SendResult; attempt: Attempt }> {
    const { clock } = this.#deps;
    const [atMs, beganAtMs] = [clock.now(), clock.elapsed()];
    const stop = new AbortController().signal;
    const answered = await sendOnce((until) => destination.send([event], until), { clock, timeoutMs, stop });
    const result = answered ?? { outcome: "retry", reason: "stopped" };
    const sent = { events: 1, firstId: event.id, result, atMs, ms: clock.elapsed() - beganAtMs };
    if (this.#configured.has(name)) this.#keptOf(name).attempts.add(sent);
    return { result, attempt: attemptOf(sent) };
  }
}
