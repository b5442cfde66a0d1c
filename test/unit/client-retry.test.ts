import { expect, it } from "vitest";
import { Retry } from "../../packages/client/src/retry.ts";

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
