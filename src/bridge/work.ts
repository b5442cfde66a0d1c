import { aborted } from "../shared/aborted.ts";
import type { Clock } from "../shared/clock.ts";
import { endsWithin } from "../shared/ends-within.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How long what is under way may take to end; what waits for a log that does not answer, ends with the log. */
const STOP_MS = 1_000;

interface WorkDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a bridge does until it is told to stop, or until one task of it fails. */
export class Work {
  /** Aborts when the tasks are to end. */
  readonly signal: AbortSignal;
  readonly #toldToStop: AbortSignal;
  readonly #stop = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];

  readonly #deps: WorkDeps;
  #isComplete = true;

  constructor(toldToStop: AbortSignal, deps: WorkDeps) {
    this.#toldToStop = toldToStop;
    this.#deps = deps;
    this.signal = AbortSignal.any([toldToStop, this.#stop.signal]);
  }

  add(...tasks: readonly Promise<unknown>[]): void {
    this.#tasks.push(...tasks);
    // `over` hears of it, which is called once everything is there.
    for (const task of tasks) task.catch(() => undefined);
  }

  stop(): void {
    this.#stop.abort(new Error("the bridge stops"));
  }

  /** Resolves when the bridge is told to stop; rejects with what fails before. */
  async over(): Promise<void> {
    await Promise.race([this.#ended(), aborted(this.#toldToStop)]);
  }

  /** Stops, and waits for the tasks to end, though not for long. */
  async finish(): Promise<void> {
    const { clock, logger } = this.#deps;
    this.stop();
    this.#isComplete = await endsWithin(STOP_MS, Promise.allSettled(this.#tasks), clock);
    if (this.#isComplete) return;
    logger.warn("the log does not answer; the last changes are read from Nomad again at the next start");
  }

  /** False where tasks were left behind that did not end in time. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  async #ended(): Promise<void> {
    try {
      await Promise.all(this.#tasks);
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
  }
}
