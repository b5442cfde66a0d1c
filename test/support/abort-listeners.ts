import { getEventListeners } from "node:events";
import { vi } from "vitest";

/** Counts who listens for the abort of a signal that somebody has begun to listen to since. */
export function abortListeners(): { count(): number } & Disposable {
  const signals = new Set<AbortSignal>();
  const spy = vi.spyOn(AbortSignal.prototype, "addEventListener");
  spy.mockImplementation(function (this: AbortSignal, ...args: Parameters<EventTarget["addEventListener"]>) {
    signals.add(this);
    EventTarget.prototype.addEventListener.apply(this, args);
  });
  return {
    count: () => [...signals].reduce((sum, signal) => sum + getEventListeners(signal, "abort").length, 0),
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}
