import { compareBytes } from "../../shared/compare-bytes.ts";
import { sortInSteps } from "../../shared/sort-in-steps.ts";

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
    const ordered = yield* sortInSteps(keys, { stepItems: STEP_KEYS, of: String, compare: compareBytes });
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
