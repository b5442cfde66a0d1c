import type { Clock } from "../../shared/clock.ts";
import { inTimeSlices } from "../../shared/time-slices.ts";
import { Keys } from "./keys.ts";

/** Bytes of all lists together, about: some hundred thousand keys. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A reader asks for its list again at each batch; one that is asked for no more has stopped reading. */
const IDLE_MS = 2000;

type ListClock = Pick<Clock, "after" | "elapsed" | "yield">;

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
  readonly #fetching = new Map<string, Promise<Keys>>();
  readonly #clock: ListClock;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(clock: ListClock, maxBytes = MAX_BYTES) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** What `fetch` gives, in order. Who asks for the same meanwhile waits with the first. */
  async get(name: string, fetch: () => Promise<readonly Buffer[]>): Promise<Keys> {
    const known = this.#lists.get(name)?.keys ?? (await this.#fetch(name, fetch));
    this.#forget(name);
    return this.#remember(name, known);
  }

  #fetch(name: string, fetch: () => Promise<readonly Buffer[]>): Promise<Keys> {
    const known = this.#fetching.get(name);
    if (known !== undefined) return known;
    const inOrder = fetch().then((keys) => inTimeSlices(Keys.inOrder(keys), this.#clock));
    const fetching = inOrder.finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, fetching);
    return fetching;
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
