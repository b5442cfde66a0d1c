import { setTimeout as delay } from "node:timers/promises";
import {
  createSimulator,
  FAULT_KINDS,
  STREAM_FAULT_KINDS,
  type FaultRule,
  type Simulator,
  type Snapshot,
} from "../../packages/nomad-simulator/src/index.ts";
import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import type { LogLine } from "./bridge-process.ts";
import { accountOf, accountOfAssignments } from "./chaos-account.ts";
import { ChaosBridge } from "./chaos-bridge.ts";
import { ChaosWorkers } from "./chaos-workers.ts";
import { chaosFlags, SubjectInTime, type ChaosSubject, type Reading } from "./chaos-subject.ts";
import type { Traces } from "./chaos-traces.ts";
import { Deadline } from "./deadline.ts";
import { checkLog, type SeenEvent, type Verdict } from "./feed-check.ts";
import { falseDeletes, simulatorTruth } from "./simulator-truth.ts";

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

const SETTLE_WITHIN_MS = 300_000;
const FAULT_LASTS_MS = 1_000;

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
  readonly #simulator: Simulator;
  #snapshot: Snapshot | undefined;
  readonly #steps: LogLine[] = [];
  #faults = 0;

  constructor(options: ChaosOptions, subject: ChaosSubject) {
    this.#options = options;
    this.#subject = subject;
    this.#random = createRandom(options.seed * 7919);
    this.#simulator = createSimulator({
      seed: options.seed,
      allocations: options.allocations ?? 150,
      namespaces: 3,
      leaderHoldMs: 200,
      journalLimit: 1_000_000,
    });
  }

  async run(): Promise<ChaosReport> {
    const { seconds, changesPerSecond = 40 } = this.#options;
    const nomadAddr = await this.#simulator.listen();
    await this.#subject.start(nomadAddr).catch((error: unknown) => this.#explain(error));
    this.#simulator.start({ changesPerSecond });
    const [beganAt, endAt] = [Date.now(), Date.now() + seconds * 1000];
    while (Date.now() < endAt) {
      await this.#somethingHappens();
      await delay(this.#random.between(50, 400));
    }
    this.#simulator.stop();
    this.#simulator.faults.clear();
    // What was written into a deleted namespace since is found at the next scan, which this brings about.
    this.#simulator.cluster.updateNamespace("default", { description: "calm" });
    const calmAt = Date.now();
    this.#say("all calm: waiting for the feed to catch up");
    await this.#subject.calm().catch((error: unknown) => this.#explain(error));
    const { verdict, events } = await this.#settled();
    const traces = await this.#traces();
    const { journal } = this.#simulator;
    return {
      changes: journal.entries.length + journal.dropped,
      restarts: this.#subject.restarts,
      faults: this.#faults,
      verdict,
      account: accountOf(verdict, { traces, events, simulator: this.#simulator }),
      longestGapMs: longestGapMs(events, beganAt, calmAt),
      takeoversMs: this.#subject.takeoversMs,
    };
  }

  async close(): Promise<void> {
    await this.#subject.close();
    await this.#simulator.close();
  }

  async #somethingHappens(): Promise<void> {
    if (this.#random.between(0, 99) < this.#subject.harmPercent) {
      this.#say(await this.#subject.harm(this.#random));
      return;
    }
    const dice = this.#random.between(0, 99);
    if (dice < 5) this.#leader();
    else if (dice < 9) this.#takeSnapshot();
    else if (dice < 12) this.#restore();
    else if (dice < 30 || (dice < 50 && this.#options.reading === "lists")) this.#spoil();
    else if (dice < 45) this.#spoilStream();
    else if (dice < 50) this.#delayReads();
    else if (dice < 75) this.#namespacePasses();
    // Else nothing: the feed must also live long enough to follow, and to be followed by hints.
    else if (dice > 94) await delay(this.#random.between(1_000, 4_000));
  }

  /** Comes and goes before anybody looks, and leaves behind what its jobs did. Its name comes back. */
  #namespacePasses(): void {
    const { cluster } = this.#simulator;
    const name = `passing-${this.#random.between(1, 2)}`;
    this.#say(`namespace ${name} comes and goes`);
    cluster.createNamespace(name);
    for (const type of ["batch", "system"] as const) {
      cluster.runJob({ id: type, namespace: name, type });
      cluster.purgeJob(name, type);
    }
    if (this.#random.chance(0.8)) cluster.deleteNamespace(name);
  }

  #spoil(): void {
    const kind = this.#random.pick(FAULT_KINDS);
    const times = this.#random.between(1, 4);
    this.#fault(`next ${times} answers: ${kind}`);
    this.#addFault({ kind, times });
  }

  #spoilStream(): void {
    const kind = this.#random.pick(STREAM_FAULT_KINDS);
    const times = this.#random.between(1, 4);
    this.#fault(`next ${times} frames: ${kind}`);
    this.#addFault({ kind, times, delayMs: this.#random.between(50, 3_000) });
  }

  /** What strikes nobody for a while is over: a process that starts would meet all of it at once, and back off. */
  #addFault(rule: FaultRule): void {
    const fault = this.#simulator.faults.add(rule);
    setTimeout(() => fault.remove(), FAULT_LASTS_MS).unref();
  }

  /** Frames come before their writes can be read. */
  #delayReads(): void {
    const delayMs = this.#random.between(1, 100);
    this.#fault(`frames come ${delayMs} ms early for a while`);
    this.#simulator.faults.delayReads(delayMs);
    setTimeout(() => this.#simulator.faults.delayReads(undefined), 1_000).unref();
  }

  #leader(): void {
    if (this.#random.chance(0.5)) {
      this.#fault("leader changes");
      this.#simulator.faults.changeLeader();
      return;
    }
    this.#fault("leader lost for a while");
    this.#simulator.faults.loseLeader();
    setTimeout(() => this.#simulator.faults.electLeader(), 400).unref();
  }

  #takeSnapshot(): void {
    this.#say("operator takes a snapshot");
    this.#snapshot = this.#simulator.snapshot();
  }

  #restore(): void {
    if (this.#snapshot === undefined) return;
    const hidden = this.#random.chance(0.5);
    this.#fault(`snapshot restored${hidden ? ", hidden by a burst of writes" : ""}`);
    this.#simulator.restore(this.#snapshot, { hidden });
    this.#snapshot = undefined;
  }

  #fault(what: string): void {
    this.#faults += 1;
    this.#say(what);
  }

  async #settled(): Promise<{ verdict: Verdict; events: SeenEvent[] }> {
    const truth = simulatorTruth(this.#simulator);
    const giveUpAt = Date.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const lookedAt = performance.now();
      const events = await this.#subject.events().catch((error: unknown) => {
        if (Date.now() > giveUpAt) throw error;
        return [];
      });
      const verdict = checkLog(events, truth);
      if (verdict.lost.length > 0 && Date.now() < giveUpAt) {
        // What is read here goes through this process too: leave it time for the others.
        await delay(Math.max(200, 2 * (performance.now() - lookedAt)));
        continue;
      }
      // The end of the story may be right where its middle was not.
      const invented = falseDeletes(this.#simulator, events);
      const lost = [...verdict.lost, ...invented.map((subject) => `${subject} was told deleted and was not`)];
      return { verdict: { ...verdict, lost }, events };
    }
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
