/** How many may have left before the memory that they took is given back. */
const LEFT_MOST = 1024;

/**
 * Members in the order in which they came. To leave from the front, as most do, costs the same however many are behind;
 * a Set would step over all that left before, each time it is looked at.
 */
export class Line<T> implements Iterable<T> {
  #members: T[] = [];
  #first = 0;

  get first(): T | undefined {
    return this.#members[this.#first];
  }

  get length(): number {
    return this.#members.length - this.#first;
  }

  /** The one so many behind the first. */
  at(place: number): T | undefined {
    return this.#members[this.#first + place];
  }

  add(member: T): void {
    this.#members.push(member);
  }

  /** Not while it is iterated over. */
  remove(member: T): void {
    const at = this.#members.indexOf(member, this.#first);
    if (at === this.#first) this.removeFirst();
    else if (at > 0) this.#members.splice(at, 1);
  }

  /** Not while it is iterated over. */
  removeFirst(): void {
    this.#first += 1;
    if (this.#first <= LEFT_MOST || this.#first * 2 <= this.#members.length) return;
    this.#members = this.#members.slice(this.#first);
    this.#first = 0;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#first; at < this.#members.length; at += 1) yield this.#members[at] as T;
  }
}
