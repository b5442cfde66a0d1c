import type { Clock } from "../../shared/clock.ts";

/** How long others wait at most for a slice of turns, and for the turn that is just under way. */
const SLICE_MS = 4;
/** How long those that go last work at a time, and for how many times as long they rest then. */
const LAST_SLICE_MS = 1;
const REST_PER_WORK = 4;
/** What seems to have taken longer was not work: the process stood still. */
const LONGEST_WORK_MS = 250;

/**
 * Gives tasks their turn, first come, first served, in slices between which the process does everything else. The first
 * slice comes at once, before the process turns to anything else: what was just committed is not to wait for the lists
 * that arrived with it, each with its diff and its commit.
 *
 * Those that go last get a fifth of the time, whether others wait or not: so they are never without a turn, and
 * nobody else ever waits for more than one of them.
 */
export class FairScheduler {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #next = 0;
  readonly #last: (() => void)[] = [];
  #lastRestUntil = 0;
  #isResting = false;
  #isRunning = false;
  /** Whether there was a slice already since the process did everything else. */
  #hadSlice = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `task` must not throw. */
  schedule(task: () => void): void {
    this.#waiting.push(task);
    this.#wake();
  }

  /** The same for a task that takes long. */
  scheduleLast(task: () => void): void {
    this.#last.push(task);
    this.#wake();
  }

  #wake(): void {
    if (this.#isRunning) return;
    const restMs = this.#lastRestUntil - this.#clock.elapsed();
    if (this.#waiting.length > 0 || (this.#last.length > 0 && restMs <= 0)) {
      this.#isRunning = true;
      if (this.#hadSlice) setImmediate(this.#run);
      else this.#runAtOnce();
    } else if (this.#last.length > 0 && !this.#isResting) {
      this.#isResting = true;
      this.#clock.after(Math.ceil(restMs), () => {
        this.#isResting = false;
        this.#wake();
      });
    }
  }

  #runAtOnce(): void {
    this.#hadSlice = true;
    queueMicrotask(this.#run);
    setImmediate(() => {
      this.#hadSlice = false;
    });
  }

  readonly #run = (): void => {
    const sliceEndsAt = this.#clock.elapsed() + SLICE_MS;
    for (;;) {
      const task = this.#waiting[this.#next];
      if (task === undefined) break;
      this.#next += 1;
      task();
      if (this.#clock.elapsed() >= sliceEndsAt) break;
    }
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    this.#runLast();
    this.#isRunning = false;
    this.#wake();
  };

  #runLast(): void {
    if (this.#last.length === 0) return;
    const beganAt = this.#clock.elapsed();
    let now = beganAt;
    if (now < this.#lastRestUntil) return;
    for (let task = this.#last.shift(); task !== undefined; task = this.#last.shift()) {
      task();
      now = this.#clock.elapsed();
      if (now - beganAt >= LAST_SLICE_MS) break;
    }
    this.#lastRestUntil = now + Math.min(now - beganAt, LONGEST_WORK_MS) * REST_PER_WORK;
  }
}
