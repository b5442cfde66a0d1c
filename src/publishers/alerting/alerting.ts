import type { AnyRule } from "../../alerts/rules/rule.ts";
import { LogUnavailable } from "../../feed/errors.ts";
import { ALERTS, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { AlertDestinationConfig } from "../../schemas/destinations/told.ts";
import type { AlertReplica } from "./alert-replica.ts";
import type { AlertList } from "../../schemas/alert-schema.ts";
import { AlertRun, type AlertRunDeps } from "./alert-run.ts";
import { readFiring, type View } from "./firing.ts";
import { AlertGauges, type AlertMetrics } from "./gauges.ts";
import { Repeaters, type RepeatersDeps } from "./repeaters.ts";

const BEGIN_RETRY_MS = 1000;

export interface AlertingDeps extends Omit<AlertRunDeps, "gauges" | "tell" | "shared" | "destinations"> {
  readonly metrics: AlertMetrics & RepeatersDeps["metrics"];
  readonly random: () => number;
  /** All places that a destination consists of. Rejects where the settings are wrong. */
  readonly open: (config: AlertDestinationConfig, shared: Labels) => Promise<readonly AlertReplica[]>;
  /** CloudEvents source of the feed: nomad://<cluster>/<region>. */
  readonly source: string;
  /** This process, for people: host/process/random. */
  readonly worker: string;
}

/** What the configuration says of alerts; null: there are none. */
export interface AlertsConfig {
  readonly rules: readonly AnyRule[];
}

export type Labels = Readonly<Record<string, string>>;

type Ending = "fenced" | "stopped" | "drained";
type Report = Omit<AssignmentStatus, "assignment" | "state" | "worker" | "since">;

/** Makes alerts of the log where that falls to this process, and tells everywhere what fires. */
export class Alerting {
  readonly #deps: AlertingDeps;
  readonly #gauges: AlertGauges;
  readonly #shared: Labels;
  readonly #repeaters: Repeaters;
  #config: AlertsConfig | null = null;
  #run: AlertRun | undefined;
  #begun = 0;

  constructor(deps: AlertingDeps) {
    this.#deps = deps;
    this.#gauges = new AlertGauges(deps.metrics);
    this.#shared = labelsOf(deps.source);
    this.#repeaters = new Repeaters({ ...deps, open: (config) => deps.open(config, this.#shared) });
  }

  /** From now on these rules hold, and these are told; alerts that fire go on where theirs stay. */
  configure(config: AlertsConfig | null, destinations: readonly AlertDestinationConfig[]): void {
    const before = this.#config;
    this.#config = config;
    this.#repeaters.configure(destinations);
    this.#gauges.configure(config?.rules ?? []);
    if (config !== null && config !== before) this.#run?.configure(config.rules);
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
        tell: (view: View) => this.#repeaters.tell(view),
        destinations: () => this.#repeaters.states(),
      };
      try {
        this.#run = await AlertRun.begin(`${worker}#${this.#begun}`, this.#config.rules, deps);
        return await this.#runBoth(this.#run, signal);
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        await clock.sleep(BEGIN_RETRY_MS, signal);
      } finally {
        this.#run = undefined;
      }
    }
    return "stopped";
  }

  /** Whoever makes alerts tells of them: no longer than that. */
  async #runBoth(run: AlertRun, signal: AbortSignal): Promise<Ending> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const repeating = this.#repeaters.run(both).finally(() => stop.abort());
    try {
      return await run.run(both);
    } finally {
      stop.abort();
      await repeating;
    }
  }

  describe(_assignment: string): Report {
    const nothing = { reading: null, index: null, objects: null, lagMs: null };
    const standing = this.#run?.standing;
    if (standing === undefined) return { ...nothing, condition: "starting", reason: null, lastOkAt: null };
    const { waiting, lookedAtMs } = standing;
    const closed = this.#repeaters.states().find(({ state }) => state === "circuit-open");
    const trouble = closed && `${closed.name} is not told: ${closed.reason}`;
    return {
      ...nothing,
      condition: waiting !== null ? "starting" : trouble === undefined ? "ok" : "stale",
      reason: waiting ?? trouble ?? null,
      lastOkAt: lookedAtMs === null ? null : new Date(lookedAtMs).toISOString(),
    };
  }

  /** What fires, whoever looks after it. */
  async list(): Promise<AlertList> {
    return (await readFiring(this.#deps.log)) ?? { asOf: null, alerts: [], ended: [], destinations: [] };
  }
}

/** What all alerts of a feed have in common. */
function labelsOf(source: string): Labels {
  const { hostname, pathname } = new URL(source);
  return { cluster: hostname, region: pathname.slice(1) };
}
