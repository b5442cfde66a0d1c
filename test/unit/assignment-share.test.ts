import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cheapestToMove, shareOf } from "../../src/coordination/bullmq/share.ts";

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/**
 * Lets workers act for so many rounds: all on what was so at the round's begin (`together`), or each on what it then
 * sees. Answers how many moves there were.
 */
function settle(workers: Map<string, string[]>, waiting: string[], rounds: number, together = false): number {
  const assignments = [...workers.values()].flat().length + waiting.length;
  let moves = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = new Map([...workers].map(([worker, held]) => [worker, [...held]]));
    for (const [worker, held] of workers) {
      const share = shareOf(worker, together ? before : workers, assignments);
      waiting.push(...held.splice(share));
      const taken = waiting.splice(0, Math.max(0, share - held.length));
      held.push(...taken);
      moves += taken.length;
    }
  }
  return moves;
}

it("spreads any assignments evenly over any workers, moves none twice, and then nothing moves any more", () => {
  const counts = fc.array(fc.nat(12), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(counts, fc.nat(30), fc.boolean(), (held, free, together) => {
      const workers = new Map(held.map((count, n) => [`w${n}`, names(`${n}-`, count)]));
      const waiting = names("free-", free);
      const even = (held.reduce((sum, count) => sum + count, 0) + free) / workers.size;
      const above = held.reduce((sum, count) => sum + Math.max(0, count - Math.floor(even)), 0);
      expect(settle(workers, waiting, 10, together)).toBeLessThanOrEqual(free + above);
      const sizes = [...workers.values()].map((assignments) => assignments.length);
      expect(waiting).toEqual([]);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(settle(workers, waiting, 5, together)).toBe(0);
    }),
  );
});

it("moves no more than the newcomer needs", () => {
  const workers = new Map([
    ["a", names("a", 9)],
    ["b", names("b", 9)],
    ["new", []],
  ]);
  expect(settle(workers, [], 20, true)).toBe(6);
});

it("leaves a worker as it is where giving one away would only swap who has one more", () => {
  const workers = new Map([
    ["a", names("a", 4)],
    ["b", names("b", 3)],
    ["c", names("c", 4)],
  ]);
  expect(["a", "b", "c"].map((worker) => shareOf(worker, workers, 11))).toEqual([4, 3, 4]);
});

it("gives away scopes before alerts and deliveries, those before the hints, the plan never, and what it got last first", () => {
  const held = ["plan", "hints", "alerts", "deliver/hook", "jobs/default", "nodes/-"];
  expect(cheapestToMove(held, 1)).toEqual(["nodes/-"]);
  expect(cheapestToMove(held, 2)).toEqual(["jobs/default", "nodes/-"]);
  expect(cheapestToMove(held, 4)).toEqual(["alerts", "deliver/hook", "jobs/default", "nodes/-"]);
  expect(cheapestToMove(held, 9)).not.toContain("plan");
  expect(cheapestToMove(held, 0)).toEqual([]);
});
