import { expect, test } from "vitest";
import { KeyLists } from "../../src/feed/redis/key-lists.ts";
import { TestClock } from "../support/test-clock.ts";

/** A millisecond passes whenever it is asked. */
class SteppingClock extends TestClock {
  yields = 0;

  override elapsed(): number {
    this.pass(1);
    return super.elapsed();
  }

  override async yield(): Promise<void> {
    this.yields += 1;
    await super.yield();
  }
}

const bytesOf = (keys: readonly string[]) => keys.map((key) => Buffer.from(key));

/** Asks for a list and says whether it had to be fetched. */
async function isFetched(lists: KeyLists, name: string, keys: readonly string[] = ["a"]): Promise<boolean> {
  let fetched = false;
  await lists.get(name, async () => {
    fetched = true;
    return bytesOf(keys);
  });
  return fetched;
}

test("a list is read some keys at a time", async () => {
  const clock = new TestClock();
  const lists = new KeyLists(clock);
  for (const keys of [[], [""], ["a"], ["", "a", "bcd", "e", "żółw 🐢"]]) {
    const list = await lists.get(JSON.stringify(keys), async () => bytesOf(keys));
    for (const count of [1, 2, 3, 100]) {
      const read: string[] = [];
      let position = 0;
      for (let some = list.from(0, count); some.length > 0; some = list.from(position, count)) {
        expect(some.length).toBeLessThanOrEqual(count);
        read.push(...some);
        position = list.behind(position, some);
      }
      expect(read).toEqual(keys);
    }
  }
});

test("keys are in order of their bytes, however they came and however many they are", async () => {
  const odd = ["b", "", "ab", "żółw", "\uFB01", "🐢", "a\u{10FFFF}", "\uD7FF", "a\uE000"];
  const many = Array.from({ length: 2600 }, (_, n) => `${(n * 1663) % 2600}-${odd[n % odd.length]}`);
  for (const keys of [odd, many]) {
    const list = await new KeyLists(new TestClock()).get("jobs", async () => bytesOf(keys));
    expect(list.from(0, keys.length)).toEqual(
      bytesOf(keys)
        .toSorted((a, b) => a.compare(b))
        .map(String),
    );
  }
});

test("many keys are put in order in slices, once for all who ask meanwhile", async () => {
  const clock = new SteppingClock();
  const lists = new KeyLists(clock);
  const keys = bytesOf(Array.from({ length: 16_000 }, (_, n) => String((n * 6007) % 16_000)));
  let fetches = 0;
  const get = () =>
    lists.get("1/jobs", async () => {
      fetches += 1;
      return keys;
    });
  const [first, second] = await Promise.all([get(), get()]);
  expect(second).toBe(first);
  expect(fetches).toBe(1);
  // All keys pass seven times, 500 in a step and two steps in a slice: sorted, merged five times, made one text.
  expect(clock.yields).toBeGreaterThan(90);
});

test("lists of several moments that are equal are one, and take room once", async () => {
  const clock = new TestClock();
  const lists = new KeyLists(clock, 250);
  const keys = ["x".repeat(80)];
  const get = (name: string) => lists.get(name, async () => bytesOf(keys));
  const [first, ...others] = [
    await get("1/jobs"),
    await get("2/jobs"),
    await get("3/jobs"),
    await get("4/jobs"),
  ];
  for (const other of others) expect(other).toBe(first);
  for (const name of ["1/jobs", "4/jobs"]) expect(await isFetched(lists, name, keys)).toBe(false);
  await clock.advance(2500);
  expect(await get("1/jobs")).not.toBe(first);
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
  const clock = new TestClock();
  const lists = new KeyLists(clock, 250);
  const keys = (name: string) => [name.repeat(80)];
  await isFetched(lists, "a", keys("a"));
  await isFetched(lists, "b", keys("b"));
  await isFetched(lists, "a", keys("a"));
  await isFetched(lists, "c", keys("c"));
  await isFetched(lists, "d", keys("d"));
  expect(await isFetched(lists, "a", keys("a"))).toBe(false);
  expect(await isFetched(lists, "b", keys("b"))).toBe(true);
});
