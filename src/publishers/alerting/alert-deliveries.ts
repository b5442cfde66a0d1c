import type { FeedLog } from "../../feed/log.ts";
import type { DestinationState } from "../../schemas/alert-schema.ts";
import {
  deliveryStatusSchema,
  type Attempt,
  type DeliveryDetails,
  type DeliveryStatus,
} from "../../schemas/delivery-schema.ts";
import type { ToldConfig } from "../../schemas/destinations/told.ts";
import { NoDelivery } from "../delivery/errors.ts";
import type { AlertSteering, SteeredByName } from "./alert-steering.ts";
import { readFiring } from "./firing.ts";
import type { WaitingMessage } from "./place.ts";
import type { Told } from "./places.ts";

const MAX_MESSAGES = 20;

export interface AlertDeliveriesDeps {
  readonly log: Pick<FeedLog, "documents">;
  readonly steering: AlertSteering;
  /** What this process knows; undefined where it tells nobody. */
  readonly told: (name: string) => Told | undefined;
  /** Has this process heed it at once; others do within a second. */
  readonly heed: (steered: SteeredByName) => void;
  /** Sends one alert that nothing makes. */
  readonly test: (config: ToldConfig) => Promise<Attempt>;
}

/** The destinations of alerts as deliveries: how they are told, whoever tells them, and what people want of them. */
export class AlertDeliveries {
  readonly #deps: AlertDeliveriesDeps;
  #configured: ReadonlyMap<string, ToldConfig> = new Map();

  constructor(deps: AlertDeliveriesDeps) {
    this.#deps = deps;
  }

  configure(destinations: readonly ToldConfig[]): void {
    this.#configured = new Map(destinations.map((config) => [config.name, config]));
  }

  has(name: string): boolean {
    return this.#configured.has(name);
  }

  async list(): Promise<DeliveryStatus[]> {
    const details = await this.#tell([...this.#configured.values()]);
    return details.map((one) => deliveryStatusSchema.parse(one));
  }

  /** @throws NoDelivery */
  async show(name: string): Promise<DeliveryDetails> {
    const [details] = await this.#tell([this.#config(name)]);
    if (details === undefined) throw new NoDelivery(name);
    return details;
  }

  /** Nothing is sent until it is resumed; what changes meanwhile is told then. @throws NoDelivery */
  async pause(name: string, reason: string | null): Promise<void> {
    const { steering, heed } = this.#deps;
    await steering.pause(this.#config(name).name, reason);
    heed(await steering.read());
  }

  /** @throws NoDelivery */
  async resume(name: string): Promise<void> {
    const { steering, heed } = this.#deps;
    await steering.resume(this.#config(name).name);
    heed(await steering.read());
  }

  /** @throws NoDelivery */
  async test(name: string): Promise<Attempt> {
    return this.#deps.test(this.#config(name));
  }

  #config(name: string): ToldConfig {
    const config = this.#configured.get(name);
    if (config === undefined) throw new NoDelivery(name);
    return config;
  }

  async #tell(configs: readonly ToldConfig[]): Promise<DeliveryDetails[]> {
    const { log, steering, told } = this.#deps;
    const shared = (await readFiring(log))?.destinations ?? [];
    const steered = await steering.read();
    return configs.map((config) => {
      const own = told(config.name);
      const states = own?.states ?? shared.filter(({ name }) => name === config.name);
      return { ...statusOf(config, states, steered), ...detailsOf(own) };
    });
  }
}

/** A destination of alerts has no place in the log. Who makes alerts, the assignments say. */
const NO_PLACE = {
  worker: null,
  cursor: null,
  recordedAt: null,
  lagEvents: null,
  deadLetters: 0,
} as const;

type Standing = Pick<DeliveryStatus, "target" | "state" | "reason" | "since" | "lagMs" | "waiting">;

const UNKNOWN: Standing = {
  target: null,
  state: "waiting",
  reason: "whoever makes alerts says nothing of it yet",
  since: null,
  lagMs: null,
  waiting: null,
};

function statusOf(
  { name, settings: { type } }: ToldConfig,
  states: readonly DestinationState[],
  steered: SteeredByName,
): DeliveryStatus {
  const paused = steered.get(name)?.paused ?? null;
  const wish = paused && ({ state: "paused", reason: paused.reason, since: paused.at } as const);
  return { name, kind: "alerts", type, ...NO_PLACE, ...standingOf(states), ...wish };
}

/** Of an Alertmanager the replica counts that is worst off. */
function standingOf(states: readonly DestinationState[]): Standing {
  const [worst] = states.toSorted((a, b) => BADNESS[b.state] - BADNESS[a.state]);
  if (worst === undefined) return UNKNOWN;
  const reasons = states.flatMap(({ target, reason }) =>
    reason === null ? [] : [states.length === 1 ? reason : `${target}: ${reason}`],
  );
  return {
    target: states.map(({ target }) => target).join(", "),
    state: worst.state === "ok" ? "delivering" : worst.state,
    reason: reasons.length === 0 ? null : reasons.join("; "),
    since: worst.since,
    lagMs: Math.max(...states.map(({ lagMs }) => lagMs)),
    waiting: Math.max(...states.map(({ waiting }) => waiting)),
  };
}

const BADNESS: Readonly<Record<DestinationState["state"], number>> = {
  ok: 0,
  retrying: 1,
  "circuit-open": 2,
  paused: 3,
};

type Details = Pick<DeliveryDetails, "attempts" | "outcomes" | "latency" | "messages">;

function detailsOf(told: Told | undefined): Details {
  if (told === undefined) return { attempts: null, outcomes: null, latency: null, messages: null };
  const { attempts, outcomes, waiting } = told;
  const oldest = waiting.toSorted((a, b) => a.sinceMs - b.sinceMs).slice(0, MAX_MESSAGES);
  return { attempts: [...attempts], outcomes, latency: null, messages: oldest.map(messageOf) };
}

function messageOf({ about, sinceMs, dueAtMs }: WaitingMessage): NonNullable<Details["messages"]>[number] {
  const dueAt = dueAtMs === null ? null : new Date(dueAtMs).toISOString();
  return { about, since: new Date(sinceMs).toISOString(), dueAt };
}
