import type { Clock } from "../../shared/clock.ts";
import { TooCostly } from "../connection/errors.ts";

/** How long everybody else waits for one reader's slice. */
const SLICE_MS = 2;

export interface ReadSchedulerOptions {
  /** What the work of one request may cost in all, in ms of slices. */
  readonly maxWorkMs: number;
  readonly clock: Pick<Clock, "elapsed">;
}

/**
 * Shares the event loop among requests that read much: states, snapshots, pages, histories. Each works in slices of
 * time, whether what it looks at passes or not, and between two slices the process does everything else. All requests
 * wait in one line, so a hundred of them delay everybody else no more than one does: they delay each other.
 */
export class ReadScheduler {
  readonly #waiting: (() => void)[] = [];
  readonly #options: ReadSchedulerOptions;
  #isRunning = false;

  constructor(options: ReadSchedulerOptions) {
    this.#options = options;
  }

  /** Begins the work of one request, in its first slice. It ends when `signal` aborts: nobody waits for it any more. */
  async begin(signal?: AbortSignal): Promise<ReadTask> {
    await this.turn();
    signal?.throwIfAborted();
    return new ReadTask(this, { ...this.#options, signal });
  }

  /** Resolves in a turn of the event loop in which no other reader has a slice: first come, first served. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isRunning) return;
      this.#isRunning = true;
      setImmediate(this.#run);
    });
  }

  readonly #run = (): void => {
    const next = this.#waiting.shift();
    this.#isRunning = next !== undefined;
    if (next === undefined) return;
    next();
    setImmediate(this.#run);
  };
}

/** The work of one request. Ask `isOver` between any two objects or events, and take the next slice where it is. */
export class ReadTask {
  readonly #scheduler: ReadScheduler;
  readonly #maxWorkMs: number;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #signal: AbortSignal | undefined;
  #endsAt: number;
  /** Undefined outside of slices. */
  #beganAt: number | undefined;
  #workedMs = 0;

  constructor(
    scheduler: ReadScheduler,
    { maxWorkMs, clock, signal }: ReadSchedulerOptions & { readonly signal: AbortSignal | undefined },
  ) {
    this.#scheduler = scheduler;
    this.#signal = signal;
    this.#maxWorkMs = maxWorkMs;
    this.#clock = clock;
    this.#beganAt = this.#clock.elapsed();
    this.#endsAt = this.#beganAt + SLICE_MS;
  }

  /** Whether the slice is used up. */
  get isOver(): boolean {
    return this.#clock.elapsed() >= this.#endsAt;
  }

  /** What the work has cost so far, in ms of slices. */
  get workedMs(): number {
    return this.#workedMs + (this.#beganAt === undefined ? 0 : this.#clock.elapsed() - this.#beganAt);
  }

  /**
   * Lets everybody else go first.
   * @throws TooCostly where the work has cost as much as it may; what was aborted with.
   */
  async nextSlice(): Promise<void> {
    this.pause();
    if (this.#workedMs > this.#maxWorkMs) throw new TooCostly(this.#maxWorkMs);
    await this.#scheduler.turn();
    this.#signal?.throwIfAborted();
    this.#beganAt = this.#clock.elapsed();
    this.#endsAt = this.#beganAt + SLICE_MS;
  }

  /**
   * Waits for what others do, then takes the next slice. What `begin` does before it first waits counts: a log in
   * SQLite reads there.
   * @throws TooCostly
   */
  async waitFor<Result>(begin: () => Promise<Result>): Promise<Result> {
    const pending = begin();
    this.pause();
    const result = await pending;
    await this.nextSlice();
    return result;
  }

  /** Ends the slice: who waits for something else does not work. */
  pause(): void {
    if (this.#beganAt === undefined) return;
    this.#workedMs += this.#clock.elapsed() - this.#beganAt;
    this.#beganAt = undefined;
  }
}

/** What `source` gives, each part of it waited for outside of the task's slices. @throws TooCostly */
export async function* readInSlices<Item>(task: ReadTask, source: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await task.waitFor(() => iterator.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
