import type { EventEmitter } from "node:events";
import type { Clock } from "../../shared/clock.ts";

/** Counts what was written to a connection and not taken from it yet, and says when all of it was. */
export class Drain {
  #pending = 0;
  #onClear: (() => void) | undefined;

  /** Give the answer, as it is, to one write as its callback. */
  begin(): () => void {
    this.#pending += 1;
    return this.#written;
  }

  get isClear(): boolean {
    return this.#pending === 0;
  }

  /** Calls back once, when all that was written is taken, or the connection is gone. One at a time. */
  whenClear(onClear: () => void): void {
    this.#onClear = onClear;
  }

  /** The same function for every write: streams then call a row of them in one go. */
  readonly #written = (): void => {
    this.#pending -= 1;
    const onClear = this.#onClear;
    if (this.#pending > 0 || onClear === undefined) return;
    this.#onClear = undefined;
    onClear();
  };
}

/** As a http.ServerResponse. */
interface Drainable extends EventEmitter {
  readonly writableNeedDrain: boolean;
}

/** Resolves true once `stream` takes more, false after `timeoutMs` or when `signal` aborts. */
export async function whenDrained(
  stream: Drainable,
  { timeoutMs, signal, clock }: { timeoutMs: number; signal: AbortSignal; clock: Clock },
): Promise<boolean> {
  if (signal.aborted) return false;
  if (!stream.writableNeedDrain) return true;
  return new Promise((resolve) => {
    const settle = (drained: boolean) => () => {
      cancel();
      stream.off("drain", onDrain);
      signal.removeEventListener("abort", onGiveUp);
      resolve(drained);
    };
    const onDrain = settle(true);
    const onGiveUp = settle(false);
    const cancel = clock.after(timeoutMs, onGiveUp);
    stream.once("drain", onDrain);
    signal.addEventListener("abort", onGiveUp, { once: true });
  });
}
