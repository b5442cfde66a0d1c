import type { FirstChange, StatePart } from "../feed/log.ts";
import { compareBytes } from "../shared/compare-bytes.ts";
import { sortInSteps } from "../shared/sort-in-steps.ts";

/** Keys sorted in one step. */
const STEP_KEYS = 500;

interface Part extends StatePart {
  /** Of each object that an event is about: the sequence of the first. Undefined: forgotten, to be looked up again. */
  keys: Map<string, number> | undefined;
}

/**
 * Of the objects that the events of a range are about the first event each, by part. At most about `maxKeys` of them:
 * beyond, the parts whose turn comes last are forgotten and have to be looked up again, but the very first is kept
 * whatever it holds.
 */
export class FirstEvents {
  readonly #parts = new Map<string, Part>();
  #maxKeys: number;
  #count = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** Takes note of an event, unless an earlier one of the object was noted before. */
  note({ resource, namespace, key, sequence }: FirstChange): void {
    const name = `${resource}/${namespace}`;
    let part = this.#parts.get(name);
    if (part === undefined) {
      part = { resource, namespace, keys: new Map() };
      this.#parts.set(name, part);
    }
    if (part.keys === undefined || part.keys.has(key)) return;
    part.keys.set(key, sequence);
    this.#count += 1;
    if (this.#count > this.#maxKeys) this.#forgetLast();
  }

  /** The parts in order. */
  get parts(): readonly Part[] {
    return [...this.#parts.values()].toSorted(byPart);
  }

  #forgetLast(): void {
    const held = this.parts.filter(({ keys }) => keys !== undefined && keys.size > 0);
    const last = held.at(-1);
    if (held.length < 2 || last?.keys === undefined) {
      // Asked again when it has grown by much, not for each key.
      this.#maxKeys += Math.ceil(this.#maxKeys / 4);
      return;
    }
    this.#count -= last.keys.size;
    last.keys = undefined;
  }
}

export function byPart(a: StatePart, b: StatePart): number {
  return compareBytes(a.resource, b.resource) || compareBytes(a.namespace, b.namespace);
}

/** The keys in order, sorted in steps. */
export function* inOrder(keys: ReadonlyMap<string, number>): Generator<void, string[]> {
  return yield* sortInSteps([...keys.keys()], {
    stepItems: STEP_KEYS,
    of: (key) => key,
    compare: compareBytes,
  });
}
