interface Timer {
  readonly key: string;
  readonly at: number;
}

/** When to look at what again. Of each key the last time that was set holds. */
export class Timers {
  readonly #times = new Map<string, number>();
  /** A binary heap by time; entries that no longer hold are passed over. */
  readonly #heap: Timer[] = [];

  set(key: string, at: number | undefined): void {
    // What is never due would never be taken out again.
    if (at === undefined || at === Number.POSITIVE_INFINITY) this.#times.delete(key);
    else if (this.#times.get(key) !== at) {
      this.#times.set(key, at);
      this.#push({ key, at });
    }
  }

  /** When the next is due, ms; undefined where none is set. */
  get next(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#times.get(first.key) === first.at) return first.at;
      this.#removeFirst();
    }
    return undefined;
  }

  /** Takes the next out, where it is due at `now`. */
  take(now: number): Timer | undefined {
    const next = this.next;
    if (next === undefined || next > now) return undefined;
    const [first] = this.#heap;
    this.#removeFirst();
    if (first !== undefined) this.#times.delete(first.key);
    return first;
  }

  #push(timer: Timer): void {
    let place = this.#heap.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || isBefore(parent, timer)) break;
      this.#heap[place] = parent;
      place = above;
    }
    this.#heap[place] = timer;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      const isRight = right !== undefined && left !== undefined && isBefore(right, left);
      const lower = isRight ? right : left;
      if (lower === undefined || isBefore(last, lower)) break;
      this.#heap[place] = lower;
      place = 2 * place + (isRight ? 2 : 1);
    }
    this.#heap[place] = last;
  }
}

/** By time; at the same time by name, so that the order depends on nothing else. */
function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.key <= b.key);
}
