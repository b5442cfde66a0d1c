import { getEventListeners } from "node:events";
import type { Clock } from "../../shared/clock.ts";
import type { SendResult } from "./destination.ts";

interface SendLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

interface UnderWay {
  readonly endsAtMs: number;
  readonly ended: AbortController;
  readonly answer: (result: SendResult | undefined) => void;
}

/** Sends that all have the same time to be answered: one timer and one listener serve those that are under way. */
export class Sends implements Disposable {
  readonly #limits: SendLimits;
  /** In the order in which they began, which is that in which their time is over. */
  readonly #underWay = new Set<UnderWay>();
  /** Of sends that were answered; to make one costs as much as to ask for the answer. */
  readonly #unused: AbortController[] = [];
  #cancel: (() => void) | undefined;

  constructor(limits: SendLimits) {
    this.#limits = limits;
    limits.stop.addEventListener("abort", this.#onStop, { once: true });
  }

  /**
   * One `send` of a destination, which always answers: also where the destination does not within `timeoutMs`, or pays
   * no heed to being told to stop. Undefined once `stop` aborts: nobody knows what became of it.
   */
  once<Result extends SendResult>(
    send: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | SendResult | undefined> {
    if (this.#limits.stop.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const ended = this.#unused.pop() ?? new AbortController();
      const answer = (result: Result | SendResult | undefined): void => {
        if (this.#underWay.delete(own)) this.#reuse(ended);
        resolve(result);
      };
      const own = { endsAtMs: this.#limits.clock.elapsed() + this.#limits.timeoutMs, ended, answer };
      this.#underWay.add(own);
      this.#watch();
      const onError = (error: unknown): void => answer({ outcome: "retry", reason: messageOf(error) });
      try {
        send(ended.signal).then(answer, onError);
      } catch (error) {
        onError(error);
      }
    });
  }

  /** Where nobody listens any more, nobody hears of what it is used for next. */
  #reuse(ended: AbortController): void {
    if (!ended.signal.aborted && getEventListeners(ended.signal, "abort").length === 0)
      this.#unused.push(ended);
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#limits.stop.removeEventListener("abort", this.#onStop);
  }

  /** The timer outlives what it was set for, and then looks what is the oldest. */
  #watch(): void {
    if (this.#cancel !== undefined) return;
    const [oldest] = this.#underWay;
    if (oldest === undefined) return;
    const { clock } = this.#limits;
    this.#cancel = clock.after(Math.max(0, oldest.endsAtMs - clock.elapsed()), () => {
      this.#cancel = undefined;
      this.#endLate();
      this.#watch();
    });
  }

  #endLate(): void {
    const { clock, timeoutMs } = this.#limits;
    const now = clock.elapsed();
    for (const { endsAtMs, ended, answer } of this.#underWay) {
      if (endsAtMs > now) return;
      ended.abort();
      answer({ outcome: "retry", reason: `no answer within ${timeoutMs / 1000} s` });
    }
  }

  readonly #onStop = (): void => {
    this.#cancel?.();
    for (const { ended, answer } of this.#underWay) {
      ended.abort(this.#limits.stop.reason);
      answer(undefined);
    }
  };
}

/** The same for one alone. */
export async function sendOnce<Result extends SendResult>(
  send: (signal: AbortSignal) => Promise<Result>,
  limits: SendLimits,
): Promise<Result | SendResult | undefined> {
  using sends = new Sends(limits);
  return await sends.once(send);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
