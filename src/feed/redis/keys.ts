import { compareBytes } from "../../shared/compare-bytes.ts";

/** No key of Nomad has this sign. */
const END = "\0";
/** How many keys one step takes: less than half a millisecond. */
const STEP_KEYS = 500;

/** Keys as one text: a string for each costs more than what is in it. */
export class Keys {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static only(key: string): Keys {
    return new Keys(`${key}${END}`);
  }

  /** Orders keys by their bytes, in steps that take as long for many keys as for few. */
  static *inOrder(keys: readonly Buffer[]): Generator<void, Keys> {
    const ordered = yield* mergeSort(keys);
    const texts: string[] = [];
    for (let first = 0; first < ordered.length; first += STEP_KEYS) {
      const some = ordered.slice(first, first + STEP_KEYS);
      texts.push(some.map((key) => `${key}${END}`).join(""));
      yield;
    }
    return new Keys(texts.join(""));
  }

  /** At most `count` keys from `position` on: 0, or what `behind` answered. */
  from(position: number, count: number): string[] {
    let end = position;
    for (let n = 0; n < count && end < this.text.length; n += 1) end = this.text.indexOf(END, end) + 1;
    // Copied: a part of a string holds the whole of it.
    const part = Buffer.from(this.text.slice(position, end)).toString();
    return part.split(END).slice(0, -1);
  }

  /** The position behind these keys, which begin at `position`. */
  behind(position: number, keys: readonly string[]): number {
    return keys.reduce((end, key) => end + key.length + 1, position);
  }
}

function* mergeSort(keys: readonly Buffer[]): Generator<void, string[]> {
  let runs: string[][] = [];
  for (let first = 0; first < keys.length; first += STEP_KEYS) {
    const some = keys.slice(first, first + STEP_KEYS);
    runs.push(some.map(String).toSorted(compareBytes));
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let n = 0; n < runs.length; n += 2) merged.push(yield* merge(runs[n] ?? [], runs[n + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(left: readonly string[], right: readonly string[]): Generator<void, string[]> {
  const merged: string[] = [];
  let [l, r] = [0, 0];
  for (let a = left[0], b = right[0]; a !== undefined && b !== undefined; a = left[l], b = right[r]) {
    const isLeft = compareBytes(a, b) <= 0;
    merged.push(isLeft ? a : b);
    if (isLeft) l += 1;
    else r += 1;
    if (merged.length % STEP_KEYS === 0) yield;
  }
  return merged.concat(left.slice(l), right.slice(r));
}
