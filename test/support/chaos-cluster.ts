import { setTimeout as delay } from "node:timers/promises";
import {
  createSimulator,
  FAULT_KINDS,
  STREAM_FAULT_KINDS,
  type FaultRule,
  type Simulator,
  type Snapshot,
} from "../../packages/nomad-simulator/src/index.ts";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import type { Reading } from "./chaos-subject.ts";
import { checkLog, type SeenEvent, type Verdict } from "./feed-check.ts";
import { falseDeletes, simulatorTruth } from "./simulator-truth.ts";

export interface ChaosClusterOptions {
  readonly seed: number;
  readonly allocations: number;
  readonly region?: string;
  readonly reading?: Reading | undefined;
  readonly random: Random;
  /** Told what is done. */
  readonly say: (line: string) => void;
}

/** A log as it was read last, held to what the cluster has. */
export interface SettledLog {
  readonly verdict: Verdict;
  readonly events: readonly SeenEvent[];
}

const SETTLE_WITHIN_MS = 300_000;
const FAULT_LASTS_MS = 1_000;

/** A cluster that churns by seed, whose answers go wrong, and which is restored to what it was. */
export class ChaosCluster {
  readonly simulator: Simulator;
  faults = 0;
  readonly #options: ChaosClusterOptions;
  readonly #random: Random;
  #snapshot: Snapshot | undefined;

  constructor(options: ChaosClusterOptions) {
    const { seed, allocations, region, random } = options;
    this.#options = options;
    this.#random = random;
    this.simulator = createSimulator({
      seed,
      allocations,
      namespaces: 3,
      leaderHoldMs: 200,
      journalLimit: 1_000_000,
      ...(region !== undefined && { region }),
    });
  }

  /** True changes so far. */
  get changes(): number {
    const { journal } = this.simulator;
    return journal.entries.length + journal.dropped;
  }

  async somethingHappens(): Promise<void> {
    const inLists = this.#options.reading === "lists";
    const dice = this.#random.between(0, 99);
    if (dice < 5) this.#leader();
    else if (dice < 9) this.#takeSnapshot();
    else if (dice < 12) this.#restore();
    else if (dice < 30 || (dice < 50 && inLists)) this.#spoil();
    else if (dice < 45) this.#spoilStream();
    else if (dice < 50) this.#delayReads();
    else if (dice < 75) this.#namespacePasses();
    // Else nothing: the feed must also live long enough to follow, and to be followed by hints.
    else if (dice > 94) await delay(this.#random.between(1_000, 4_000));
  }

  calm(): void {
    this.simulator.stop();
    this.simulator.faults.clear();
    // What was written into a deleted namespace since is found at the next scan, which this brings about.
    this.simulator.cluster.updateNamespace("default", { description: "calm" });
  }

  /** The log that `read` reads, once it has what the calm cluster has, or nobody would wait for it any longer. */
  async settled(read: () => Promise<readonly SeenEvent[]>): Promise<SettledLog> {
    const truth = simulatorTruth(this.simulator);
    const giveUpAt = Date.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const lookedAt = performance.now();
      const events = await read().catch((error: unknown) => {
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
      const invented = falseDeletes(this.simulator, events);
      const lost = [...verdict.lost, ...invented.map((subject) => `${subject} was told deleted and was not`)];
      return { verdict: { ...verdict, lost }, events };
    }
  }

  /** Comes and goes before anybody looks, and leaves behind what its jobs did. Its name comes back. */
  #namespacePasses(): void {
    const { cluster } = this.simulator;
    const name = `passing-${this.#random.between(1, 2)}`;
    this.#options.say(`namespace ${name} comes and goes`);
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
    const fault = this.simulator.faults.add(rule);
    setTimeout(() => fault.remove(), FAULT_LASTS_MS).unref();
  }

  /** Frames come before their writes can be read. */
  #delayReads(): void {
    const delayMs = this.#random.between(1, 100);
    this.#fault(`frames come ${delayMs} ms early for a while`);
    this.simulator.faults.delayReads(delayMs);
    setTimeout(() => this.simulator.faults.delayReads(undefined), 1_000).unref();
  }

  #leader(): void {
    if (this.#random.chance(0.5)) {
      this.#fault("leader changes");
      this.simulator.faults.changeLeader();
      return;
    }
    this.#fault("leader lost for a while");
    this.simulator.faults.loseLeader();
    setTimeout(() => this.simulator.faults.electLeader(), 400).unref();
  }

  #takeSnapshot(): void {
    this.#options.say("operator takes a snapshot");
    this.#snapshot = this.simulator.snapshot();
  }

  #restore(): void {
    if (this.#snapshot === undefined) return;
    const hidden = this.#random.chance(0.5);
    this.#fault(`snapshot restored${hidden ? ", hidden by a burst of writes" : ""}`);
    this.simulator.restore(this.#snapshot, { hidden });
    this.#snapshot = undefined;
  }

  #fault(what: string): void {
    this.faults += 1;
    this.#options.say(what);
  }
}
