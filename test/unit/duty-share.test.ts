import * as fc from "fast-check";
import { expect, it } from "vitest";
import { shareOf } from "../../src/coordination/bullmq/share.ts";

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/** Lets workers act one after another for so many rounds, each on what it then sees. Answers how many moves there were. */
function settle(workers: Map<string, string[]>, waiting: string[], rounds: number): number {
  const duties = [...workers.values()].flat().length + waiting.length;
  let moves = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const [worker, held] of workers) {
      const { surplus, room } = shareOf(worker, workers, { duties, starving: false });
      waiting.push(...held.splice(held.length - surplus));
      const taken = waiting.splice(0, room);
      held.push(...taken);
      moves += taken.length;
    }
  }
  return moves;
}

it("spreads any duties evenly over any workers, and then nothing moves any more", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }), fc.nat(30), (counts, free) => {
      const workers = new Map(counts.map((count, n) => [`w${n}`, names(`${n}-`, count)]));
      const waiting = names("free-", free);
      settle(workers, waiting, 60);
      const sizes = [...workers.values()].map((held) => held.length);
      expect(waiting).toEqual([]);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(settle(workers, waiting, 5)).toBe(0);
    }),
  );
});

it("moves no more than the newcomer needs", () => {
  const workers = new Map([
    ["a", names("a", 9)],
    ["b", names("b", 9)],
    ["new", []],
  ]);
  expect(settle(workers, [], 20)).toBe(6);
});

it("lets anybody take what has waited for long, however much they have", () => {
  const workers = new Map([
    ["busy", names("b", 9)],
    ["stuck", []],
  ]);
  expect(shareOf("busy", workers, { duties: 10, starving: false }).room).toBe(0);
  expect(shareOf("busy", workers, { duties: 10, starving: true })).toEqual({ surplus: 0, room: 1 });
});
