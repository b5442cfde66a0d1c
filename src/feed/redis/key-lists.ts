import type { Clock } from "../../shared/clock.ts";

/** Bytes of all lists together, about: some hundred thousand keys. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A reader asks for its list again at each batch; one that is asked for no more has stopped reading. */
const IDLE_MS = 2000;

interface KnownList {
  readonly keys: Keys;
  readonly stopTimer: () => void;
}

/**
 * Lists of keys that several readers need, and each of them again: the latest ones that were asked for. Most changes
 * neither add nor remove a key, so lists of different moments that are equal are one. Who stopped reading does not keep
 * its list here.
 */
export class KeyLists {
  readonly #lists = new Map<string, KnownList>();
  /** By their text, with the number of their names. */
  readonly #shared = new Map<string, { readonly keys: Keys; names: number }>();
  readonly #clock: Pick<Clock, "after">;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(clock: Pick<Clock, "after">, maxBytes = MAX_BYTES) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** The keys `fetch` gives are in order. */
  async get(name: string, fetch: () => Promise<readonly string[]>): Promise<Keys> {
    const known = this.#lists.get(name)?.keys ?? new Keys(await fetch());
    this.#forget(name);
    return this.#remember(name, known);
  }

  #remember(name: string, found: Keys): Keys {
    const shared = this.#shared.get(found.text) ?? { keys: found, names: 0 };
    if (shared.names === 0) this.#bytes += found.text.length;
    shared.names += 1;
    const { keys } = shared;
    this.#shared.set(keys.text, shared);
    this.#lists.set(name, { keys, stopTimer: this.#clock.after(IDLE_MS, () => this.#forget(name)) });
    for (const oldest of this.#lists.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
    return keys;
  }

  #forget(name: string): void {
    const list = this.#lists.get(name);
    if (list === undefined) return;
    list.stopTimer();
    this.#lists.delete(name);
    const shared = this.#shared.get(list.keys.text);
    if (shared === undefined || --shared.names > 0) return;
    this.#shared.delete(list.keys.text);
    this.#bytes -= list.keys.text.length;
  }
}

/** No key of Nomad has this sign. */
const END = "\0";

/** Keys as one text: a string for each costs more than what is in it. */
export class Keys {
  readonly text: string;

  constructor(keys: readonly string[]) {
    this.text = keys.map((key) => `${key}${END}`).join("");
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
