import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import type { AlertJson } from "../../src/schemas/alert-schema.ts";
import { AlertSubject } from "./alert-subject.ts";
import { cancelOrphans, expectedAlerts, noteCompletion, type Happenings } from "./alert-truth.ts";
import { CHAOS_FLAGS } from "./chaos-subject.ts";
import { instanceOf, ToldAlerts } from "./told-alerts.ts";
import { until } from "./until.ts";

export interface AlertChaosOptions {
  readonly seed: number;
  /** For how long at least. */
  readonly seconds: number;
  /** Times that the cluster rests, at least. */
  readonly quietMoments: number;
  /** Default: one with its log in a file; more share one in Redis. */
  readonly workers?: number;
  readonly changesPerSecond?: number;
  readonly say?: (line: string) => void;
}

export interface AlertChaosReport {
  readonly quietMoments: number;
  readonly kills: number;
  /** Alerts that fired at quiet moments, all together. */
  readonly fired: number;
  readonly messages: number;
  /** True, and not among the alerts, or not told; or an end that was not told. */
  readonly missing: readonly string[];
  /** Among the alerts, or told, and not true. */
  readonly invented: readonly string[];
  /** Another alert after a kill than before it, though nothing had changed; or told to fire after its end. */
  readonly wrong: readonly string[];
}

/** A busy machine takes its time to start what was killed. */
const SETTLED_WITHIN_MS = 120_000;

const WAITING = [
  "JobExhausted",
  "JobFailing",
  "PlacementBlocked",
  "NodeDown",
  "NodeDisconnected",
  "NodeDrainIncomplete",
  "DriverUnhealthy",
];
/** What happened has no state that shows it; what the simulator launches has no order. */
const OFF = ["JobFlapping", "OomKilled", "NodeFlapping", "JobOverdue"];

const configOf = (url: string): string => `destinations:
  people: { type: alert-webhook, url: ${url}, allowPrivate: true, retry: { first: 100ms, most: 1s } }
routes:
  - { to: people, groupWait: 0s, groupInterval: 0s, repeatInterval: 1h }
alerts:
  rules:
${WAITING.map((rule) => `    ${rule}: { for: 0s, keepFiringFor: 0s }`).join("\n")}
    NodeDrainSlow: { longerThan: 1s }
${OFF.map((rule) => `    ${rule}: off`).join("\n")}
`;

const SETTINGS = {
  flapping: { atLeast: Number.POSITIVE_INFINITY, withinMs: 0 },
  oomWithinMs: 0,
  nodeFlapping: { atLeast: Number.POSITIVE_INFINITY, withinMs: 0 },
  drainLongerThanMs: 1000,
};

/**
 * A cluster that churns by seed, and processes that make alerts of it and are killed at any time. Whenever the cluster
 * rests, what fires and what was told is held to what is true of it.
 */
export async function runAlertChaos(options: AlertChaosOptions): Promise<AlertChaosReport> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "ncf-alert-chaos-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const told = parts.use(await ToldAlerts.listen());
  const config = join(directory, "feed.yaml");
  await writeFile(config, configOf(told.url));
  const { seed, workers = 1 } = options;
  const simulator = createSimulator({ seed, allocations: 150, nodes: 10, namespaces: 2 });
  parts.defer(() => simulator.close());
  const flags = [...CHAOS_FLAGS, "--config", config];
  const subject = parts.use(await AlertSubject.create({ directory, workers, flags }));
  await subject.start(await simulator.listen());
  return await new AlertChaos(options, { simulator, subject, told }).run();
}

interface Parts {
  readonly simulator: Simulator;
  readonly subject: AlertSubject;
  readonly told: ToldAlerts;
}

class AlertChaos {
  readonly #options: AlertChaosOptions;
  readonly #parts: Parts;
  readonly #random: Random;
  readonly #happenings: Happenings = { restarts: [], kills: [], losses: [], completed: new Map() };
  #quietMoments = 0;
  #fired = 0;
  readonly #missing: string[] = [];
  readonly #invented: string[] = [];
  readonly #wrong: string[] = [];

  constructor(options: AlertChaosOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#random = createRandom(options.seed * 6367);
  }

  async run(): Promise<AlertChaosReport> {
    const { subject, told } = this.#parts;
    const endAt = Date.now() + this.#options.seconds * 1000;
    while (Date.now() < endAt || this.#quietMoments < this.#options.quietMoments) {
      await this.#churn();
      await this.#rest();
      this.#quietMoments += 1;
    }
    return {
      quietMoments: this.#quietMoments,
      kills: subject.kills,
      fired: this.#fired,
      messages: told.messages,
      missing: this.#missing,
      invented: this.#invented,
      wrong: [
        ...this.#wrong,
        ...told.relapsed.map((instance) => `${instance} was told to fire after its end`),
      ],
    };
  }

  async #churn(): Promise<void> {
    const { simulator, subject } = this.#parts;
    const { changesPerSecond = 300 } = this.#options;
    simulator.start({ changesPerSecond });
    for (let left = this.#random.between(1, 2); left > 0; left -= 1) {
      await delay(this.#random.between(100, 900));
      await subject.kill(this.#random);
    }
    await delay(this.#random.between(200, 1200));
    simulator.stop();
    cancelOrphans(simulator);
    // What was written into a deleted namespace since is found at the next scan, which this brings about.
    simulator.cluster.updateNamespace("default", { description: `calm ${this.#quietMoments}` });
  }

  async #rest(): Promise<void> {
    const firing = await this.#agreed();
    if (firing === undefined) return;
    this.#fired += firing.length;
    if (this.#quietMoments % 2 === 1) return;
    await this.#parts.subject.killHolder(this.#random);
    const since = Date.now();
    const after = await until("somebody looks again", async () => {
      const list = await this.#parts.subject.list();
      return Date.parse(list?.asOf ?? "") > since && list?.alerts.filter(fires);
    });
    const [before, now] = [firing, after].map((alerts) => alerts.map(instanceOf).toSorted()) as Pair;
    for (const instance of difference(before, now))
      this.#note(this.#wrong, "is another after a kill", instance);
    for (const instance of difference(now, before)) this.#note(this.#wrong, "is new after a kill", instance);
    await this.#agreed();
  }

  /** What fires, once that, what is told and what is true are the same; where they stay different, notes how. */
  async #agreed(): Promise<AlertJson[] | undefined> {
    let firing: AlertJson[] = [];
    let differences: readonly [string[], string, string][] = [];
    const look = async (): Promise<boolean> => {
      const list = await this.#parts.subject.list();
      firing = list?.alerts.filter(fires) ?? [];
      differences = this.#differences(firing);
      if (differences.length > 0) await this.#noteCompletions();
      return list !== undefined && differences.length === 0;
    };
    await until("alerts are what is true", look, SETTLED_WITHIN_MS).catch(() => undefined);
    for (const [list, what, name] of differences) this.#note(list, what, name);
    return differences.length === 0 ? firing : undefined;
  }

  #differences(firing: readonly AlertJson[]): [string[], string, string][] {
    const { simulator, told } = this.#parts;
    const { tables } = simulator.cluster.state;
    const truth = expectedAlerts(tables, this.#happenings, SETTINGS, Date.now());
    const names = firing.map(nameOf);
    const [instances, open] = [firing.map(instanceOf), told.open()];
    const all = (list: string[], what: string, them: readonly string[]) =>
      them.map((one): [string[], string, string] => [list, what, one]);
    return [
      ...all(this.#missing, "does not fire", difference(truth, names)),
      ...all(this.#invented, "fires and is not true", difference(names, truth)),
      ...all(this.#missing, "was not told", difference(instances, open)),
      ...all(this.#missing, "was not told to have ended", difference(open, instances)),
    ];
  }

  #note(list: string[], what: string, name: string): void {
    const line = `quiet moment ${this.#quietMoments}: ${name} ${what}`;
    list.push(line);
    this.#options.say?.(line);
  }

  /** As the feed saw it: what completed between two looks at the cluster and was collected, nobody knows of. */
  async #noteCompletions(): Promise<void> {
    for (const { subject, after } of await this.#parts.subject.events())
      if (subject.startsWith("allocations/") && after !== undefined) noteCompletion(this.#happenings, after);
  }
}

type Pair = [string[], string[]];

const fires = ({ state }: AlertJson): boolean => state === "firing";

function difference(these: readonly string[], those: readonly string[]): string[] {
  return these.filter((one) => !those.includes(one));
}

/** As the truth names it: "JobFailing default/web/frontend". */
function nameOf({ rule, labels: { cluster: _cluster, region: _region, ...subject } }: AlertJson): string {
  const { namespace, job, group, node, scope } = subject;
  const parts = [namespace, job, group, node, scope].filter((part) => part !== undefined);
  return `${rule} ${parts.join("/")}`;
}
