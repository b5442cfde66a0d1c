import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import type { LogLine } from "./bridge-process.ts";
import { accountOf, accountOfAssignments } from "./chaos-account.ts";
import { ChaosCluster } from "./chaos-cluster.ts";
import { ChaosBridge } from "./chaos-bridge.ts";
import { ChaosWorkers } from "./chaos-workers.ts";
import { chaosFlags, SubjectInTime, type ChaosSubject, type Reading } from "./chaos-subject.ts";
import type { Traces } from "./chaos-traces.ts";
import { Deadline } from "./deadline.ts";
import type { SeenEvent, Verdict } from "./feed-check.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly allocations?: number;
  readonly changesPerSecond?: number;
  /** Worker processes on a log in Redis; absent: one bridge on a file. */
  readonly workers?: number;
  /** Default: auto. */
  readonly reading?: Reading;
  /**
   * What is not done by then is given up by name. Default: `seconds`, and the time that beginning and catching up may
   * take.
   */
  readonly giveUpAfterSeconds?: number;
  /** Told what is done, for people who watch. */
  readonly say?: (line: string) => void;
}

export interface ChaosReport {
  /** True changes of the simulated cluster. */
  readonly changes: number;
  readonly restarts: number;
  readonly faults: number;
  readonly verdict: Verdict;
  /** What is known of the scopes that the verdict finds wrong, a line each. */
  readonly account: readonly string[];
  /** Longest time between two events in the log, while the cluster changed all the time. */
  readonly longestGapMs: number;
  /** From the kill of a worker to when others had all that it watched; empty where there are no others. */
  readonly takeoversMs: readonly number[];
}

/** At most, with its beginning and its end. */
export function chaosTakesSeconds(seconds: number): number {
  return seconds + 700;
}

/**
 * A cluster that churns by seed, answers that go wrong, and a feed whose processes are killed, stopped and started at
 * random; in the end the folded log is held to what the cluster has.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const say = options.say ?? (() => undefined);
  const { workers: count } = options;
  const flags = chaosFlags(options.reading ?? "auto");
  const subject =
    count === undefined ? await ChaosBridge.create(flags) : await ChaosWorkers.create({ count, flags, say });
  const deadline = new Deadline((options.giveUpAfterSeconds ?? chaosTakesSeconds(options.seconds)) * 1000);
  const chaos = new Chaos(options, new SubjectInTime(subject, deadline));
  try {
    return await chaos.run();
  } finally {
    await chaos.close();
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #subject: ChaosSubject;
  readonly #random: Random;
  readonly #cluster: ChaosCluster;
  readonly #steps: LogLine[] = [];

  constructor(options: ChaosOptions, subject: ChaosSubject) {
    const { seed, allocations = 150, reading } = options;
    this.#options = options;
    this.#subject = subject;
    this.#random = createRandom(seed * 7919);
    const say = (line: string) => this.#say(line);
    this.#cluster = new ChaosCluster({ seed, allocations, reading, random: this.#random, say });
  }

  async run(): Promise<ChaosReport> {
    const { seconds, changesPerSecond = 40 } = this.#options;
    const { simulator } = this.#cluster;
    const nomadAddr = await simulator.listen();
    await this.#subject.start(nomadAddr).catch((error: unknown) => this.#explain(error));
    simulator.start({ changesPerSecond });
    const [beganAt, endAt] = [Date.now(), Date.now() + seconds * 1000];
    while (Date.now() < endAt) {
      await this.#somethingHappens();
      await delay(this.#random.between(50, 400));
    }
    this.#cluster.calm();
    const calmAt = Date.now();
    this.#say("all calm: waiting for the feed to catch up");
    await this.#subject.calm().catch((error: unknown) => this.#explain(error));
    const { verdict, events } = await this.#cluster.settled(() => this.#subject.events());
    const traces = await this.#traces();
    return {
      changes: this.#cluster.changes,
      restarts: this.#subject.restarts,
      faults: this.#cluster.faults,
      verdict,
      account: accountOf(verdict, { traces, events, simulator }),
      longestGapMs: longestGapMs(events, beganAt, calmAt),
      takeoversMs: this.#subject.takeoversMs,
    };
  }

  async close(): Promise<void> {
    await this.#subject.close();
    await this.#cluster.simulator.close();
  }

  async #somethingHappens(): Promise<void> {
    if (this.#random.between(0, 99) < this.#subject.harmPercent)
      this.#say(await this.#subject.harm(this.#random));
    else await this.#cluster.somethingHappens();
  }

  async #explain(error: unknown): Promise<never> {
    const account = accountOfAssignments(await this.#traces());
    throw new Error([error instanceof Error ? error.message : String(error), ...account].join("\n"), {
      cause: error,
    });
  }

  /** Of the processes, and of what was done to them. */
  async #traces(): Promise<Traces> {
    const { assignments, processes } = await this.#subject.traces();
    return { assignments, processes: [...processes, { name: "chaos", lines: this.#steps }] };
  }

  #say(line: string): void {
    this.#steps.push({ level: "chaos", time: new Date().toISOString(), msg: line });
    this.#options.say?.(line);
  }
}

function longestGapMs(events: readonly SeenEvent[], from: number, to: number): number {
  const times = events.map(({ recordedMs }) => recordedMs).filter((ms) => ms >= from && ms <= to);
  return Math.max(0, ...[...times, to].map((ms, n) => ms - (times[n - 1] ?? from)));
}
