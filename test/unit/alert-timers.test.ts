import { expect, test } from "vitest";
import { Timers } from "../../src/alerts/timers.ts";

test("what is never due is not kept", () => {
  const timers = new Timers();
  timers.set("a", 5);
  timers.set("a", Number.POSITIVE_INFINITY);
  timers.set("b", Number.POSITIVE_INFINITY);
  expect(timers.next).toBeUndefined();
  timers.set("a", 7);
  expect(timers.take(7)).toEqual({ key: "a", at: 7 });
});
