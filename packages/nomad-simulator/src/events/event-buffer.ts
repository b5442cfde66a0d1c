import type { Frame } from "./event.ts";

/** One frame in the buffer, linked to the next one as soon as there is one. */
export interface BufferItem {
  readonly frame: Frame;
  next: BufferItem | undefined;
  /** Pushed out of the buffer: a reader that still stands on it was too slow. */
  dropped: boolean;
}

const itemOf = (frame: Frame): BufferItem => ({ frame, next: undefined, dropped: false });

/**
 * A server's newest frames, a linked list as in Nomad: readers go along it at their own pace, and one that still
 * stands on a frame that has been pushed out is lost. It begins with an empty frame, which does not count, so that
 * it holds one frame more than its size.
 */
export class EventBuffer {
  readonly #size: number;
  #head: BufferItem = itemOf({ index: 0, events: [] });
  #tail = this.#head;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
  }

  append(frame: Frame): void {
    const item = itemOf(frame);
    this.#tail.next = item;
    this.#tail = item;
    this.#length += 1;
    for (; this.#length > this.#size; this.#length -= 1) this.#dropHead();
  }

  /** What a reader stands on whose first frame is to be the one with `index`, or as close as possible. */
  before(index: bigint): BufferItem {
    const start = itemOf({ index: 0, events: [] });
    start.next = index === 0n ? this.#head : this.#closest(index);
    return start;
  }

  /** The first frame with the index; else the next later one; else, beyond all, the last one again. */
  #closest(index: bigint): BufferItem {
    let item = this.#head;
    while (BigInt(item.frame.index) < index && item.next !== undefined) item = item.next;
    return item;
  }

  #dropHead(): void {
    this.#head.dropped = true;
    this.#head = this.#head.next as BufferItem;
  }
}
