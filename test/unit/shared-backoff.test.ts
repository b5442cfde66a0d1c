import { describe, expect, it } from "vitest";
import { Backoff } from "../../src/shared/backoff.ts";

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
