import type { AnyRule } from "../../alerts/rules/rule.ts";
import { LogUnavailable } from "../../feed/errors.ts";
import { ALERTS, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { AlertList } from "../../schemas/alert-schema.ts";
import { AlertRun, type AlertRunDeps } from "./alert-run.ts";
import { readFiring } from "./firing.ts";
import { AlertGauges, type AlertMetrics } from "./gauges.ts";

const BEGIN_RETRY_MS = 1000;

export interface AlertingDeps extends Omit<AlertRunDeps, "gauges" | "tell" | "shared"> {
  readonly metrics: AlertMetrics;
  /** CloudEvents source of the feed: nomad://<cluster>/<region>. */
  readonly source: string;
  /** This process, for people: host/process/random. */
  readonly worker: string;
}

/** What the configuration says of alerts; null: there are none. */
export interface AlertsConfig {
  readonly rules: readonly AnyRule[];
}

type Ending = "fenced" | "stopped" | "drained";
type Report = Omit<AssignmentStatus, "assignment" | "state" | "worker" | "since">;

/** Makes alerts of the log where that falls to this process, and tells everywhere what fires. */
export class Alerting {
  readonly #deps: AlertingDeps;
  readonly #gauges: AlertGauges;
  readonly #shared: Readonly<Record<string, string>>;
  #config: AlertsConfig | null = null;
  #run: AlertRun | undefined;
  #begun = 0;

  constructor(deps: AlertingDeps) {
    this.#deps = deps;
    this.#gauges = new AlertGauges(deps.metrics);
    this.#shared = labelsOf(deps.source);
  }

  /** From now on these rules hold; alerts that fire go on where theirs stay. */
  configure(config: AlertsConfig | null): void {
    this.#config = config;
    this.#gauges.configure(config?.rules ?? []);
    if (config !== null) this.#run?.configure(config.rules);
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
      const deps = { ...this.#deps, gauges: this.#gauges, shared: this.#shared, tell: () => undefined };
      try {
        this.#run = await AlertRun.begin(`${worker}#${this.#begun}`, this.#config.rules, deps);
        return await this.#run.run(signal);
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        await clock.sleep(BEGIN_RETRY_MS, signal);
      } finally {
        this.#run = undefined;
      }
    }
    return "stopped";
  }

  describe(_assignment: string): Report {
    const nothing = { reading: null, index: null, objects: null, lagMs: null };
    const standing = this.#run?.standing;
    if (standing === undefined) return { ...nothing, condition: "starting", reason: null, lastOkAt: null };
    const { waiting, lookedAtMs } = standing;
    return {
      ...nothing,
      condition: waiting === null ? "ok" : "starting",
      reason: waiting,
      lastOkAt: lookedAtMs === null ? null : new Date(lookedAtMs).toISOString(),
    };
  }

  /** What fires, whoever looks after it. */
  async list(): Promise<AlertList> {
    return (await readFiring(this.#deps.log)) ?? { asOf: null, alerts: [], ended: [] };
  }
}

/** What all alerts of a feed have in common. */
function labelsOf(source: string): { cluster: string; region: string } {
  const { hostname, pathname } = new URL(source);
  return { cluster: hostname, region: pathname.slice(1) };
}
