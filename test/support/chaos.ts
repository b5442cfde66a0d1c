import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSimulator, FAULT_KINDS, type Simulator, type Snapshot } from "../../src/simulator/index.ts";
import { createRandom, type Random } from "../../src/simulator/random.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import { judgeLog, readLog, type Verdict } from "./feed-check.ts";
import { falseDeletes, simulatorTruth } from "./simulator-truth.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly allocations?: number;
  readonly changesPerSecond?: number;
  /** Told what is done, for people who watch. */
  readonly say?: (line: string) => void;
}

export interface ChaosReport {
  /** True changes of the simulated cluster. */
  readonly changes: number;
  readonly restarts: number;
  readonly faults: number;
  readonly verdict: Verdict;
}

const SETTLE_WITHIN_MS = 90_000;

/**
 * A cluster that churns by seed, answers that go wrong, and a bridge that is killed, stopped and started at
 * random; in the end the folded log is held to what the cluster has.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const directory = await mkdtemp(join(tmpdir(), "ncf-chaos-"));
  const chaos = new Chaos(options, join(directory, "feed.db"));
  try {
    return await chaos.run();
  } finally {
    await chaos.close();
    await rm(directory, { recursive: true, force: true });
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #file: string;
  readonly #random: Random;
  readonly #simulator: Simulator;
  #url = "";
  #bridge: BridgeProcess | undefined;
  #snapshot: Snapshot | undefined;
  #restarts = 0;
  #faults = 0;

  constructor(options: ChaosOptions, file: string) {
    this.#options = options;
    this.#file = file;
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
    this.#url = await this.#simulator.listen();
    this.#start();
    await this.#bridge?.ready();
    this.#simulator.start({ changesPerSecond });
    const endAt = Date.now() + seconds * 1000;
    while (Date.now() < endAt) {
      await this.#somethingHappens();
      await delay(this.#random.between(50, 400));
    }
    this.#simulator.stop();
    this.#simulator.faults.clear();
    this.#say("all calm: waiting for the feed to catch up");
    if (this.#bridge === undefined) this.#start();
    const verdict = await this.#settled();
    const { journal } = this.#simulator;
    return {
      changes: journal.entries.length + journal.dropped,
      restarts: this.#restarts,
      faults: this.#faults,
      verdict,
    };
  }

  async close(): Promise<void> {
    await this.#bridge?.kill();
    await this.#simulator.close();
  }

  async #somethingHappens(): Promise<void> {
    const dice = this.#random.between(0, 99);
    if (dice < 7) await this.#endBridge("killed", (bridge) => bridge.kill());
    else if (dice < 10) await this.#endBridge("stopped", (bridge) => bridge.stop());
    else if (dice < 15) this.#leader();
    else if (dice < 19) this.#takeSnapshot();
    else if (dice < 22) this.#restore();
    else if (dice < 60) this.#spoil();
    // Else nothing: the bridge must also live long enough to follow.
  }

  async #endBridge(how: string, end: (bridge: BridgeProcess) => Promise<unknown>): Promise<void> {
    if (this.#bridge === undefined) return;
    this.#say(`bridge ${how}`);
    await end(this.#bridge);
    this.#bridge = undefined;
    this.#restarts += 1;
    await delay(this.#random.between(0, 600));
    this.#start();
  }

  #start(): void {
    this.#bridge = startBridgeProcess({
      nomadAddr: this.#url,
      feed: `sqlite:${this.#file}`,
      // A restore leaves queries asleep until their wait ends: keep it short.
      flags: [
        "--baseline",
        "events",
        "--max-event-bytes",
        "10MiB",
        "--wait",
        "1s",
        "--nomad-compression",
        "gzip",
      ],
    });
  }

  #spoil(): void {
    const kind = this.#random.pick(FAULT_KINDS);
    const times = this.#random.between(1, 4);
    this.#fault(`next ${times} answers: ${kind}`);
    this.#simulator.faults.add({ kind, times });
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

  async #settled(): Promise<Verdict> {
    const truth = simulatorTruth(this.#simulator);
    const giveUpAt = Date.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const events = await readLog(this.#file);
      const verdict = judgeLog(events, truth);
      if (verdict.lost.length > 0 && Date.now() < giveUpAt) {
        await delay(200);
        continue;
      }
      // The end of the story may be right where its middle was not.
      const invented = falseDeletes(this.#simulator, events);
      const lost = [...verdict.lost, ...invented.map((subject) => `${subject} was told deleted and was not`)];
      return { ...verdict, lost };
    }
  }

  #say(line: string): void {
    this.#options.say?.(line);
  }
}
