import type { DestinationState } from "../../schemas/alert-schema.ts";
import type { Attempt, DeliveryDetails } from "../../schemas/delivery-schema.ts";
import type { ToldConfig } from "../../schemas/destinations/told.ts";
import { Attempts } from "../delivery/attempts.ts";
import { Meter, type DeliveryMetrics } from "../delivery/meter.ts";
import { NOT_STEERED, type SteeredByName } from "./alert-steering.ts";
import { Place, type PlaceDeps, type WaitingMessage } from "./place.ts";

export interface PlacesDeps extends Omit<PlaceDeps, "meter" | "attempts"> {
  readonly metrics: DeliveryMetrics;
}

interface Open {
  readonly name: string;
  readonly place: Place;
  readonly meter: Meter;
}

/** What outlives a change of a destination. */
interface Kept {
  readonly attempts: Attempts;
  /** By what their places are called in the metrics; `fingerprint`: of the destination when they were opened last. */
  readonly meters: Map<string, { readonly meter: Meter; readonly fingerprint: string }>;
}

/** What the process knows that tells a destination of alerts. */
export interface Told {
  readonly states: readonly DestinationState[];
  readonly waiting: readonly WaitingMessage[];
  readonly attempts: readonly Attempt[];
  readonly outcomes: NonNullable<DeliveryDetails["outcomes"]>;
}

/** All places that this process tells of alerts, and the last attempts at them. */
export class Places {
  readonly #deps: PlacesDeps;
  readonly #open = new Set<Open>();
  /** Why a destination cannot be opened, by name. */
  readonly #unopened = new Map<string, string>();
  readonly #kept = new Map<string, Kept>();
  /** Name to fingerprint. */
  #configured: ReadonlyMap<string, string> = new Map();
  #steered: SteeredByName = new Map();

  constructor(deps: PlacesDeps) {
    this.#deps = deps;
  }

  configure(destinations: readonly ToldConfig[]): void {
    this.#configured = new Map(destinations.map(({ name, fingerprint }) => [name, fingerprint]));
    for (const name of this.#kept.keys()) this.#forgetRemoved(name);
  }

  /** `isOne`: there is no other one of the destination. Give it back to `close`. */
  open(
    { name, fingerprint, settings: { timeout, retry } }: ToldConfig,
    { target, isOne }: { readonly target: string; readonly isOne: boolean },
    waiting: () => readonly WaitingMessage[],
  ): Place {
    const meter = this.#meterOf(name, isOne ? name : `${name} ${target}`, fingerprint);
    const options = {
      name,
      target,
      timeoutMs: timeout,
      retry: { firstMs: retry.first, mostMs: retry.most },
      waiting,
    };
    const place = new Place(options, { ...this.#deps, meter, attempts: this.attemptsOf(name) });
    place.steer(this.#steered.get(name) ?? NOT_STEERED);
    this.#open.add({ name, place, meter });
    this.#unopened.delete(name);
    return place;
  }

  close(place: Place): void {
    place.forget();
    for (const open of this.#open) {
      if (open.place !== place) continue;
      this.#open.delete(open);
      this.#forgetRemoved(open.name);
    }
  }

  /** It is tried again. */
  cannotOpen(name: string, error: unknown): void {
    this.#unopened.set(name, error instanceof Error ? error.message : String(error));
  }

  /** Nobody tries to open it any more. */
  givenUp(name: string): void {
    this.#unopened.delete(name);
  }

  steer(steered: SteeredByName): void {
    this.#steered = steered;
    for (const { name, place } of this.#open) place.steer(steered.get(name) ?? NOT_STEERED);
  }

  /** Shows in the metrics how all stand. */
  show(): void {
    for (const { place } of this.#open) place.show();
    for (const name of this.#configured.keys()) this.#forgetFormer(name);
  }

  /** How each is told, as this process knows; in order of their names. */
  states(): DestinationState[] {
    const states = [...this.#open].map(({ place }) => place.state);
    return [...states, ...[...this.#unopened].map(unopened)].toSorted((a, b) => a.name.localeCompare(b.name));
  }

  told(name: string): Told {
    const own = [...this.#open].filter((open) => open.name === name);
    return {
      states: this.states().filter((state) => state.name === name),
      waiting: own.flatMap(({ place }) => place.waiting),
      attempts: this.attemptsOf(name).list(),
      outcomes: own.map(({ meter }) => meter.figures().outcomes ?? NOTHING).reduce(sumOf, NOTHING),
    };
  }

  attemptsOf(name: string): Attempts {
    return this.#keptOf(name).attempts;
  }

  #meterOf(name: string, label: string, fingerprint: string): Meter {
    const { meters } = this.#keptOf(name);
    const meter = meters.get(label)?.meter ?? new Meter(this.#deps.metrics, label);
    meters.set(label, { meter, fingerprint });
    return meter;
  }

  #keptOf(name: string): Kept {
    const kept = this.#kept.get(name) ?? { attempts: new Attempts(), meters: new Map() };
    this.#kept.set(name, kept);
    return kept;
  }

  /** A destination that is not configured any more leaves nothing behind here, once all its places are closed. */
  #forgetRemoved(name: string): void {
    if (this.#configured.has(name) || [...this.#open].some((open) => open.name === name)) return;
    for (const { meter } of this.#kept.get(name)?.meters.values() ?? []) meter.remove();
    this.#kept.delete(name);
  }

  /** Nor does a place that a destination had before it changed, once it is open anew without that one. */
  #forgetFormer(name: string): void {
    const { meters } = this.#keptOf(name);
    const present = this.#configured.get(name);
    if (![...meters.values()].some(({ fingerprint }) => fingerprint === present)) return;
    const inUse = new Set([...this.#open].map(({ meter }) => meter));
    for (const [label, { meter, fingerprint }] of meters) {
      if (fingerprint === present || inUse.has(meter)) continue;
      meter.remove();
      meters.delete(label);
    }
  }
}

const NOTHING = { delivered: 0, parked: 0, passedOver: 0, retried: 0 };

function sumOf(sum: Told["outcomes"], more: Told["outcomes"]): Told["outcomes"] {
  return {
    delivered: sum.delivered + more.delivered,
    parked: sum.parked + more.parked,
    passedOver: sum.passedOver + more.passedOver,
    retried: sum.retried + more.retried,
  };
}

function unopened([name, reason]: readonly [string, string]): DestinationState {
  const state = { state: "circuit-open", reason: `it cannot be opened: ${reason}` } as const;
  return { name, target: "(not open)", ...state, since: null, lastOkAt: null, waiting: 0, lagMs: 0 };
}
