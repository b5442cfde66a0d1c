import type { Clock } from "../../shared/clock.ts";

/** Bytes of all lists together, about: some hundred thousand keys. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A reader asks for its list again at each batch; one that is asked for no more has stopped reading. */
const IDLE_MS = 2000;

/**
 * Lists of keys that several readers of the same moment need, and each of them again: the latest ones that were asked
 * for. Who stopped reading does not keep its list here.
 */
export class KeyLists {
  readonly #lists = new Map<string, { readonly keys: Keys; readonly stopTimer: () => void }>();
  readonly #clock: Pick<Clock, "after">;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(clock: Pick<Clock, "after">, maxBytes = MAX_BYTES) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  async get(name: string, fetch: () => Promise<readonly string[]>): Promise<Keys> {
    const known = this.#lists.get(name)?.keys ?? new Keys(await fetch());
    this.#forget(name);
    this.#remember(name, known);
    return known;
  }

  #remember(name: string, keys: Keys): void {
    const stopTimer = this.#clock.after(IDLE_MS, () => this.#forget(name));
    this.#lists.set(name, { keys, stopTimer });
    this.#bytes += keys.bytes;
    for (const oldest of this.#lists.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    const list = this.#lists.get(name);
    list?.stopTimer();
    this.#bytes -= list?.keys.bytes ?? 0;
    this.#lists.delete(name);
  }
}

/** Keys as one text: a string for each costs more than what is in it. */
class Keys {
  readonly #text: string;
  /** Where each begins in the text, and where one more would. */
  readonly #begins: Uint32Array;

  constructor(keys: readonly string[]) {
    // No key of Nomad has this sign.
    this.#text = keys.join("\0");
    this.#begins = new Uint32Array(keys.length + 1);
    for (const [n, key] of keys.entries()) this.#begins[n + 1] = (this.#begins[n] ?? 0) + key.length + 1;
  }

  get bytes(): number {
    return this.#text.length + this.#begins.byteLength;
  }

  /** As of an array. */
  slice(from: number, to: number): string[] {
    const begin = this.#begins[from];
    const end = this.#begins.at(Math.min(to, this.#begins.length - 1)) ?? 0;
    return begin === undefined || begin >= end ? [] : this.#text.slice(begin, end - 1).split("\0");
  }
}
