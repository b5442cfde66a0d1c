import { beforeEach, describe, expect, it } from "vitest";
import { Pacer } from "../../src/pollers/pacer.ts";
import { TestClock } from "../support/test-clock.ts";

describe("Pacer", () => {
  const MIB = 1024 * 1024;
  let clock: TestClock;
  let pacer: Pacer;
  beforeEach(() => {
    clock = new TestClock();
    pacer = new Pacer(clock, { perSecond: 2, burst: 3 });
  });

  /** How long so many polls take, each of an answer of `bytes`. */
  async function timeOf(polls: number, bytes = 0): Promise<number> {
    const beganMs = clock.elapsed();
    const poll = async () => {
      for (let done = 0; done < polls; done += 1) {
        await pacer.ready(new AbortController().signal);
        pacer.spend(bytes);
      }
    };
    await clock.finish(poll());
    return clock.elapsed() - beganMs;
  }

  it("lets a burst pass at once, then holds to the steady rate", async () => {
    expect(await timeOf(4)).toBe(0);
    expect(await timeOf(6)).toBe(3000);
  });

  it("makes a large list pay for its size", async () => {
    expect(await timeOf(1, 16 * MIB)).toBe(0);
    expect(await timeOf(1)).toBe(7000);
  });

  it("earns nothing beyond its burst while idle", async () => {
    clock.pass(3_600_000);
    expect(await timeOf(5)).toBe(500);
  });
});
