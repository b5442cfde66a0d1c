import { expect, test } from "vitest";
import { KeyLists } from "../../src/feed/redis/key-lists.ts";
import { TestClock } from "../support/test-clock.ts";

/** Asks for a list and says whether it had to be fetched. */
async function isFetched(lists: KeyLists, name: string, keys: readonly string[] = ["a"]): Promise<boolean> {
  let fetched = false;
  await lists.get(name, async () => {
    fetched = true;
    return keys;
  });
  return fetched;
}

test("a list is sliced as an array is", async () => {
  const lists = new KeyLists(new TestClock());
  for (const keys of [[], ["a"], ["a", "bcd", "", "żółw 🐢", "e"]]) {
    const list = await lists.get(String(keys.length), async () => keys);
    for (const [from, to] of [
      [0, 1],
      [0, 3],
      [2, 4],
      [1, 100],
      [4, 5],
      [5, 6],
      [9, 12],
    ] as const)
      expect(list.slice(from, to)).toEqual(keys.slice(from, to));
  }
});

test("readers of one moment share a list, until nobody has asked for it for some seconds", async () => {
  const clock = new TestClock();
  const lists = new KeyLists(clock);
  expect(await isFetched(lists, "1/jobs")).toBe(true);
  await clock.advance(1500);
  expect(await isFetched(lists, "1/jobs")).toBe(false);
  await clock.advance(1500);
  expect(await isFetched(lists, "1/jobs")).toBe(false);
  await clock.advance(2500);
  expect(await isFetched(lists, "1/jobs")).toBe(true);
});

test("lists that are too large together are forgotten, the one that was not asked for the longest first", async () => {
  const lists = new KeyLists(new TestClock(), 250);
  const keys = ["x".repeat(80)];
  await isFetched(lists, "a", keys);
  await isFetched(lists, "b", keys);
  await isFetched(lists, "a", keys);
  await isFetched(lists, "c", keys);
  expect(await isFetched(lists, "a", keys)).toBe(false);
  expect(await isFetched(lists, "b", keys)).toBe(true);
});
