import type { AnyRule } from "../../alerts/rules/rule.ts";
import { Fenced, LogUnavailable } from "../../feed/errors.ts";
import { silencesOf } from "../../routing/silenced.ts";
import { routeTree, type RouteNode } from "../../routing/tree.ts";
import { ALERTS, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import {
  isNotified,
  isRepeated,
  type RepeatedConfig,
  type ToldConfig,
} from "../../schemas/destinations/told.ts";
import { AlertDeliveries } from "./alert-deliveries.ts";
import type { AlertReplica } from "./alert-replica.ts";
import { AlertSteering } from "./alert-steering.ts";
import type { RouteSettings } from "../../schemas/routes.ts";
import { Notifier, type NotifierDeps } from "./notifier.ts";
import { ToldGroups } from "./told-groups.ts";
import type { AlertRoutes } from "../../schemas/alert-routes.ts";
import type { AlertJson, AlertList } from "../../schemas/alert-schema.ts";
import { routedAlert, routesJson } from "./routed.ts";
import { AlertRun, type AlertRunDeps } from "./alert-run.ts";
import { readFiring, type View } from "./firing.ts";
import { AlertGauges, type AlertMetrics } from "./gauges.ts";
import { Places, type PlacesDeps } from "./places.ts";
import { Repeaters } from "./repeaters.ts";
import { sendTest } from "./test-sending.ts";

const BEGIN_RETRY_MS = 1000;
/** What people want of destinations is looked at so often. */
const STEER_EVERY_MS = 1000;

export interface AlertingDeps
  extends
    Omit<AlertRunDeps, "gauges" | "tell" | "shared" | "destinations">,
    Pick<NotifierDeps, "notify" | "silences"> {
  readonly metrics: AlertMetrics & PlacesDeps["metrics"];
  readonly random: () => number;
  /** All places that a destination consists of. Rejects where the settings are wrong. */
  readonly open: (config: RepeatedConfig, shared: Labels) => Promise<readonly AlertReplica[]>;
  /** CloudEvents source of the feed: nomad://<cluster>/<region>. */
  readonly source: string;
  /** This process, for people: host/process/random. */
  readonly worker: string;
}

/** What the configuration says of alerts. */
export interface AlertingConfig {
  /** Null: none are made. */
  readonly alerts: { readonly rules: readonly AnyRule[] } | null;
  readonly alertDestinations: readonly ToldConfig[];
  readonly routes: readonly RouteSettings[];
}

export type Labels = Readonly<Record<string, string>>;

type Ending = "fenced" | "stopped" | "drained";
type Report = Omit<AssignmentStatus, "assignment" | "state" | "worker" | "since">;

/** Makes alerts of the log where that falls to this process, and tells everywhere what fires. */
export class Alerting {
  /** How its destinations are told. */
  readonly deliveries: AlertDeliveries;
  readonly #deps: AlertingDeps;
  readonly #steering: AlertSteering;
  readonly #places: Places;
  readonly #gauges: AlertGauges;
  readonly #shared: Labels;
  readonly #repeaters: Repeaters;
  readonly #notifier: Notifier;
  #config: AlertingConfig["alerts"] = null;
  #tree: readonly RouteNode[] = [];
  #repeated: readonly RepeatedConfig[] = [];
  #run: AlertRun | undefined;
  #begun = 0;

  constructor(deps: AlertingDeps) {
    this.#deps = deps;
    this.#gauges = new AlertGauges(deps.metrics);
    this.#shared = labelsOf(deps.source);
    this.#places = new Places(deps);
    const open = (config: RepeatedConfig) => deps.open(config, this.#shared);
    const places = this.#places;
    this.#repeaters = new Repeaters({ ...deps, places, open });
    this.#notifier = new Notifier({ ...deps, places });
    this.#steering = new AlertSteering(deps);
    this.deliveries = new AlertDeliveries({
      log: deps.log,
      steering: this.#steering,
      heed: (steered) => places.steer(steered),
      told: (name) => (this.#run === undefined ? undefined : places.told(name)),
      test: (config) =>
        sendTest(config, places.attemptsOf(config.name), { ...deps, shared: this.#shared, open }),
    });
  }

  /** From now on these rules hold, and these are told; alerts that fire go on where theirs stay. */
  configure({ alerts: config, alertDestinations, routes }: AlertingConfig): void {
    const before = this.#config;
    this.#config = config;
    this.deliveries.configure(alertDestinations);
    this.#places.configure(alertDestinations);
    const notified = alertDestinations.filter(isNotified);
    this.#repeated = alertDestinations.filter(isRepeated);
    this.#tree = routeTree(
      routes,
      notified.map(({ name }) => name),
    );
    this.#repeaters.configure(this.#repeated);
    this.#notifier.configure(notified, this.#tree);
    this.#gauges.configure(config?.rules ?? []);
    if (config !== null && config !== before) this.#run?.configure(config.rules);
  }

  /** The rule of that name, as it is in force. */
  rule(name: string): AnyRule | undefined {
    return this.#config?.rules.find((rule) => rule.name === name);
  }

  /** Names of the assignments there are. */
  assignments(): string[] {
    return this.#config === null ? [] : [ALERTS];
  }

  /** Looks after alerts until `signal` aborts, or another process does. */
  async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    const { clock, worker } = this.#deps;
    while (!signal.aborted) {
      if (this.#config === null) throw new Error(`there is no assignment ${assignment} here`);
      this.#begun += 1;
      const deps = {
        ...this.#deps,
        gauges: this.#gauges,
        shared: this.#shared,
        tell: (view: View) => {
          this.#repeaters.tell(view);
          this.#notifier.tell(view);
        },
        destinations: () => this.#places.states(),
      };
      try {
        const owner = `${worker}#${this.#begun}`;
        const told = await ToldGroups.claim(owner, this.#deps.log.documents);
        this.#places.steer(await this.#steering.read());
        this.#run = await AlertRun.begin(owner, this.#config.rules, deps);
        return await this.#runAll(this.#run, told, signal);
      } catch (error) {
        if (error instanceof Fenced) return "fenced";
        if (!(error instanceof LogUnavailable)) throw error;
        await clock.sleep(BEGIN_RETRY_MS, signal);
      } finally {
        this.#run = undefined;
      }
    }
    return "stopped";
  }

  /** Whoever makes alerts tells of them: no longer than that. */
  async #runAll(run: AlertRun, told: ToldGroups, signal: AbortSignal): Promise<Ending> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const parts = [this.#repeaters.run(both), this.#notifier.run(told, both), this.#steer(both)];
    const telling = Promise.all(parts.map((part) => part.finally(() => stop.abort())));
    // Heard of below, once the run has ended.
    telling.catch(() => undefined);
    try {
      return await run.run(both);
    } finally {
      stop.abort();
      await telling;
    }
  }

  /** Has people's wishes heard, and shows in the metrics how destinations stand. */
  async #steer(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(STEER_EVERY_MS, signal);
      try {
        this.#places.steer(await this.#steering.read());
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
      }
      this.#places.show();
    }
  }

  describe(_assignment: string): Report {
    const nothing = { reading: null, index: null, objects: null, lagMs: null };
    const standing = this.#run?.standing;
    if (standing === undefined) return { ...nothing, condition: "starting", reason: null, lastOkAt: null };
    const { waiting, lookedAtMs } = standing;
    const closed = this.#places.states().find(({ state }) => state === "circuit-open");
    const trouble = closed && `${closed.name} is not told: ${closed.reason}`;
    return {
      ...nothing,
      condition: waiting !== null ? "starting" : trouble === undefined ? "ok" : "stale",
      reason: waiting ?? trouble ?? null,
      lastOkAt: lookedAtMs === null ? null : new Date(lookedAtMs).toISOString(),
    };
  }

  /** Who would be told of an alert, by which routes; without one: the routes alone. */
  async routes(alert?: AlertJson): Promise<AlertRoutes> {
    const nowMs = this.#deps.clock.now();
    const inForce = { tree: this.#tree, alertmanagers: this.#repeated, nowMs };
    const tested =
      alert === undefined
        ? null
        : routedAlert(
            { ...alert, labels: { ...this.#shared, ...alert.labels } },
            { ...inForce, silences: await this.#deps.silences() },
          );
    return { routes: routesJson(this.#tree, nowMs), tested };
  }

  /** What fires, whoever looks after it, and which silences keep people from being told. */
  async list(): Promise<AlertList> {
    const { log, silences, clock } = this.#deps;
    const found = await readFiring(log);
    if (found === null) return { asOf: null, alerts: [], ended: [], destinations: [] };
    const inForce = await silences();
    const now = clock.now();
    const silencedBy = (alert: AlertJson) => silencesOf(inForce, alert, now).map(({ id }) => id);
    return { ...found, alerts: found.alerts.map((alert) => ({ ...alert, silencedBy: silencedBy(alert) })) };
  }
}

/** What all alerts of a feed have in common. */
function labelsOf(source: string): Labels {
  const { hostname, pathname } = new URL(source);
  return { cluster: hostname, region: pathname.slice(1) };
}
