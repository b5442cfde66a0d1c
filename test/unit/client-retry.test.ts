import { afterEach, expect, it, vi } from "vitest";
import { Connection } from "../../packages/client/src/connection.ts";
import { Retry, sleep } from "../../packages/client/src/retry.ts";

afterEach(() => void vi.useRealTimers());

const waits = (retry: Retry, pace: "soon" | "later", count: number) =>
  Array.from({ length: count }, () => retry.next(pace, 0));
const longest = () => new Retry({}, () => 1);

it("grows with every failure up to a bound, and longer where the server has trouble", () => {
  expect(waits(longest(), "soon", 6)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  expect(waits(longest(), "later", 6)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

it("begins anew after something came", () => {
  const retry = longest();
  waits(retry, "later", 5);
  retry.reset();
  expect(retry.next("soon", 0)).toBe(500);
});

it("spreads over the whole time, and never under what the server asks", () => {
  expect(waits(new Retry({}, () => 0), "later", 3)).toEqual([0, 0, 0]);
  expect(new Retry({}, () => 0.5).next("later", 7000)).toBe(8000);
});

it("waits as long as it is asked to, also longer than a timer can", async () => {
  vi.useFakeTimers();
  const days = 60 * 86_400_000;
  const woke = vi.fn<() => void>();
  const waited = sleep(days, new AbortController().signal).then(woke);
  await vi.advanceTimersByTimeAsync(days - 1);
  expect(woke).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await waited;
  const stop = new AbortController();
  const stopped = sleep(days, stop.signal);
  await vi.advanceTimersByTimeAsync(days / 2);
  stop.abort();
  await stopped;
  expect(vi.getTimerCount()).toBe(0);
});

it("never gives up a silent connection where it is told to wait for ever", async () => {
  vi.useFakeTimers();
  const timers = vi.spyOn(globalThis, "setTimeout");
  const { signal } = new AbortController();
  const open = () => ({ close: () => Promise.resolve() });
  const connection = new Connection(
    open,
    { url: "ws://127.0.0.1", token: undefined },
    { silenceMs: Number.POSITIVE_INFINITY, signal },
  );
  await vi.advanceTimersByTimeAsync(1000);
  expect(timers).toHaveBeenCalledOnce();
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
});
