import { Deadline } from "./deadline.ts";

/** What a place asks of the process in it; BridgeProcess is one. */
export interface PlacedWorker {
  readonly child: { kill(signal: "SIGSTOP" | "SIGCONT"): boolean };
  stop(): Promise<unknown>;
  kill(): Promise<void>;
}

const STOP_WITHIN_MS = 30_000;

/** The one owner of a worker and of those that follow it: there are never two at once, and none after `close`. */
export class WorkerPlace<Worker extends PlacedWorker> {
  readonly name: string;
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #isEnding = false;
  #isFrozen = false;
  #isClosed = false;

  constructor(name: string, start: () => Worker) {
    this.name = name;
    this.#start = start;
  }

  /** Who runs here; undefined while the place is empty or its worker is being ended. */
  get worker(): Worker | undefined {
    return this.#isEnding ? undefined : this.#worker;
  }

  /** The worker, if it can be harmed. */
  get healthy(): Worker | undefined {
    return this.#isFrozen ? undefined : this.worker;
  }

  /** Puts a worker into the empty place. */
  begin(): void {
    if (!this.#isClosed) this.#worker ??= this.#start();
  }

  async end(how: "killed" | "stopped"): Promise<void> {
    const { healthy: worker } = this;
    if (worker === undefined) return;
    this.#isEnding = true;
    try {
      if (how === "killed") await worker.kill();
      else await new Deadline(STOP_WITHIN_MS).waitFor(`${this.name} to stop`, worker.stop());
      this.#worker = undefined;
    } finally {
      this.#isEnding = false;
    }
  }

  freeze(): void {
    this.#isFrozen = this.healthy?.child.kill("SIGSTOP") === true;
  }

  thaw(): void {
    if (this.#isFrozen) this.#worker?.child.kill("SIGCONT");
    this.#isFrozen = false;
  }

  /** Kills who is there. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.kill();
  }
}
