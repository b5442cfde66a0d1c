import { beforeEach, describe, expect, it } from "vitest";
import { Hearing } from "../../src/coordination/redis/hearing.ts";
import { TestClock } from "../support/test-clock.ts";

describe("who hears what another process says", () => {
  let clock: TestClock;
  let told: string[];
  let hearing: Hearing;
  const hear = (sequence: number, message: string, turn = 1, speaker = "one") =>
    hearing.hear({ turn: { speaker, number: turn }, sequence, messages: [message] });
  beforeEach(() => {
    clock = new TestClock();
    told = [];
    hearing = new Hearing(
      { onMessage: (message) => told.push(message), onBreak: (reason) => told.push(`break: ${reason}`) },
      clock,
    );
  });

  it("may begin anywhere, and hears each message once, though it is said again", () => {
    hear(7, "a");
    hear(8, "b");
    hear(8, "b");
    hear(9, "c");
    expect(told).toEqual(["a", "b", "c"]);
  });

  it("is told of a hole before it hears what comes behind it", () => {
    hear(0, "a");
    hear(2, "c");
    hear(3, "d");
    expect(told).toEqual(["a", "break: something of what was said is missing", "c", "d"]);
  });

  it("is told when another process speaks, or the same begins anew, with whatever number", () => {
    hear(0, "a");
    hear(1, "b", 1, "two");
    hear(2, "c", 2, "two");
    expect(told).toEqual([
      "a",
      "break: another process speaks now",
      "b",
      "break: who speaks begins anew",
      "c",
    ]);
  });

  it("is told of six seconds of silence, once, and hears on afterwards", async () => {
    hear(0, "a");
    await clock.advance(5_999);
    hear(1, "b");
    await clock.advance(5_999);
    expect(told).toEqual(["a", "b"]);
    expect(hearing.isSteady).toBe(true);
    await clock.advance(1);
    expect(told.splice(0)).toEqual(["a", "b", "break: heard nothing for 6 s"]);
    expect(hearing.isSteady).toBe(false);
    await clock.advance(60_000);
    hear(5, "f");
    expect(told).toEqual(["f"]);
  });

  it("that was kept from hearing while it was busy has missed nothing", async () => {
    hear(0, "a");
    clock.pass(30_000);
    setImmediate(() => hear(1, "b"));
    await clock.advance(0);
    expect(told).toEqual(["a", "b"]);
  });
});
