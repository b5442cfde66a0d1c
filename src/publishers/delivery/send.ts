import type { Clock } from "../../shared/clock.ts";
import type { SendResult } from "./destination.ts";

/**
 * One `send` of a destination, which always answers: also where the destination does not within `timeoutMs`, or pays no
 * heed to being told to stop. Undefined once `stop` aborts: nobody knows what became of it.
 */
export function sendOnce<Result extends SendResult>(
  send: (signal: AbortSignal) => Promise<Result>,
  {
    clock,
    timeoutMs,
    stop,
  }: { readonly clock: Clock; readonly timeoutMs: number; readonly stop: AbortSignal },
): Promise<Result | SendResult | undefined> {
  if (stop.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const ended = new AbortController();
    const answer = (result: Result | SendResult | undefined): void => {
      cancel();
      stop.removeEventListener("abort", onStop);
      resolve(result);
    };
    const onStop = (): void => {
      answer(undefined);
      ended.abort(stop.reason);
    };
    const cancel = clock.after(timeoutMs, () => {
      answer({ outcome: "retry", reason: `no answer within ${timeoutMs / 1000} s` });
      ended.abort();
    });
    stop.addEventListener("abort", onStop, { once: true });
    const onError = (error: unknown): void => answer({ outcome: "retry", reason: messageOf(error) });
    try {
      send(ended.signal).then(answer, onError);
    } catch (error) {
      onError(error);
    }
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
