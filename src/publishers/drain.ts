import type { EventEmitter } from "node:events";

/** What net.Socket and http.ServerResponse have in common here. */
export interface Drainable extends EventEmitter {
  readonly writableNeedDrain: boolean;
}

/** Resolves true once `stream` takes more, false after `timeoutMs` or when `signal` aborts. */
export async function whenDrained(
  stream: Drainable,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  if (signal.aborted) return false;
  if (!stream.writableNeedDrain) return true;
  return new Promise((resolve) => {
    const settle = (drained: boolean) => () => {
      clearTimeout(timer);
      stream.off("drain", onDrain);
      signal.removeEventListener("abort", onGiveUp);
      resolve(drained);
    };
    const onDrain = settle(true);
    const onGiveUp = settle(false);
    const timer = setTimeout(onGiveUp, timeoutMs);
    stream.once("drain", onDrain);
    signal.addEventListener("abort", onGiveUp, { once: true });
  });
}
