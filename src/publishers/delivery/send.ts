import type { Clock } from "../../shared/clock.ts";
import type { SendResult } from "./destination.ts";

/**
 * One `send` of a destination, which always answers: also where the destination does not within `timeoutMs`, or pays no
 * heed to being told to stop. Undefined once `stop` aborts: nobody knows what became of it.
 */
export async function sendOnce<Result extends SendResult>(
  send: (signal: AbortSignal) => Promise<Result>,
  {
    clock,
    timeoutMs,
    stop,
  }: { readonly clock: Clock; readonly timeoutMs: number; readonly stop: AbortSignal },
): Promise<Result | SendResult | undefined> {
  if (stop.aborted) return undefined;
  const ended = new AbortController();
  let isLate = false;
  const cancel = clock.after(timeoutMs, () => {
    isLate = true;
    ended.abort();
  });
  const onStop = (): void => ended.abort(stop.reason);
  stop.addEventListener("abort", onStop, { once: true });
  try {
    return await Promise.race([send(ended.signal), rejected(ended.signal)]);
  } catch (error) {
    if (stop.aborted) return undefined;
    return { outcome: "retry", reason: isLate ? `no answer within ${timeoutMs / 1000} s` : messageOf(error) };
  } finally {
    cancel();
    stop.removeEventListener("abort", onStop);
  }
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
