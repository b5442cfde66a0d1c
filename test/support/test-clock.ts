import { setImmediate as immediate } from "node:timers/promises";
import type { Clock } from "../../src/shared/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that only the test moves: what waits for it waits for no real time. */
export class TestClock implements Clock {
  #nowMs: number;
  #elapsedMs = 1_000_000;
  readonly #timers = new Set<Timer>();
  #yielding = 0;

  constructor(nowMs = Date.parse("2026-08-22T10:00:00Z")) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = this.after(ms, wake);
      signal?.addEventListener("abort", wake);
    });
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async yield(): Promise<void> {
    this.#yielding += 1;
    await immediate();
    this.#yielding -= 1;
  }

  /** Somebody sets the clock, forward or back. */
  set(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Time passes and nobody is woken, as while the event loop is busy. */
  pass(ms: number): void {
    this.#nowMs += ms;
    this.#elapsedMs += ms;
  }

  /** Time passes; who is due is woken at the time it asked for, and does what it can before the next is. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await this.#settled();
    for (let next = this.#next(); next !== undefined && next.atMs <= endMs; next = this.#next()) {
      await this.#wake(next);
    }
    this.pass(Math.max(0, endMs - this.#elapsedMs));
  }

  /** Advances from timer to timer until the work is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => (isDone = true);
    work.then(end, end);
    for (;;) {
      await this.#settled();
      if (isDone) return work;
      const next = this.#next();
      if (next !== undefined) await this.#wake(next);
    }
  }

  async #wake(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.pass(Math.max(0, timer.atMs - this.#elapsedMs));
    timer.run();
    await this.#settled();
  }

  /** What goes on without waiting for anything but its turn has come to rest. */
  async #settled(): Promise<void> {
    do await immediate();
    while (this.#yielding > 0);
  }

  #next(): Timer | undefined {
    return [...this.#timers].toSorted((a, b) => a.atMs - b.atMs)[0];
  }
}
