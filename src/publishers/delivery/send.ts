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
      const ended = new AbortController();
      const answer = (result: Result | SendResult | undefined): void => {
        this.#underWay.delete(own);
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
      answer({ outcome: "retry", reason: `no answer within ${timeoutMs / 1000} s` });
      ended.abort();
    }
  }

  readonly #onStop = (): void => {
    this.#cancel?.();
    for (const { ended, answer } of this.#underWay) {
      answer(undefined);
      ended.abort(this.#limits.stop.reason);
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
