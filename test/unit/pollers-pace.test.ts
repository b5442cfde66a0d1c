import { describe, expect, it } from "vitest";
import { Backoff } from "../../src/pollers/backoff.ts";
import type { Clock } from "../../src/pollers/clock.ts";
import { Pacer } from "../../src/pollers/pacer.ts";

function manualClock(): Clock & { slept: number[]; advance(ms: number): void } {
  let now = 1_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    elapsed: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
    yield: async () => undefined,
  };
}

describe("Backoff", () => {
  it("doubles its ceiling up to the cap and starts again after a reset", () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1_000, random: () => 1 });
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
      100, 200, 400, 800, 1_000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it("uses the whole range from zero, and a server's Retry-After as the floor", () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1_000, random: () => 0 });
    expect(backoff.next()).toBe(0);
    expect(backoff.next(5_000)).toBe(5_000);
  });
});

describe("Pacer", () => {
  const signal = new AbortController().signal;

  it("lets a burst pass at once, then holds to the steady rate", async () => {
    const clock = manualClock();
    const pacer = new Pacer(clock, { perSecond: 2, burst: 3 });
    for (let poll = 0; poll < 10; poll += 1) {
      await pacer.ready(signal);
      pacer.spend(0);
    }
    expect(clock.slept.length).toBe(6);
    expect(clock.slept.every((ms) => Math.abs(ms - 500) < 1)).toBe(true);
  });

  it("makes a large list pay for its size", async () => {
    const clock = manualClock();
    const pacer = new Pacer(clock, { perSecond: 2, burst: 3 });
    pacer.spend(16 * 1024 * 1024);
    await pacer.ready(signal);
    expect(clock.slept).toEqual([7_000]);
  });

  it("earns nothing beyond its burst while idle", async () => {
    const clock = manualClock();
    const pacer = new Pacer(clock, { perSecond: 2, burst: 1 });
    clock.advance(3_600_000);
    pacer.spend(0);
    await pacer.ready(signal);
    expect(clock.slept).toEqual([]);
    pacer.spend(0);
    await pacer.ready(signal);
    expect(clock.slept).toEqual([500]);
  });
});
