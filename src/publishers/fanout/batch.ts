import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { kindsOf, type EventKinds } from "../selection/event-filter.ts";
import type { Form } from "../selection/payload.ts";

/** How much of the log goes to a subscriber at once: at most so many events, and about so much JSON, or one event. */
export const BATCH_LIMITS = { limit: 256, maxBytes: 48 * 1024 };

interface Framed {
  readonly bytes: Buffer;
  /** Where each event's frame ends in `bytes`. */
  readonly ends: readonly number[];
}

/**
 * Neighbouring events of the log, framed once for everybody who gets them in the same form: the frames lie in one
 * piece of memory, in order, so that any run of them is one write.
 */
export class Batch {
  /** The place in the log that the events come after. */
  readonly after: Cursor;
  readonly entries: readonly LogEntry[];
  readonly #framed = new Map<Form, Framed>();
  readonly #onFramed: (bytes: number) => void;
  #framedBytes = 0;
  #jsonBytes: number | undefined;
  #kinds: EventKinds | undefined;

  /** `onFramed` is told of the bytes of each form that was made. */
  constructor(
    after: Cursor,
    entries: readonly LogEntry[],
    onFramed: (bytes: number) => void = () => undefined,
    jsonBytes?: number,
  ) {
    this.after = after;
    this.entries = entries;
    this.#jsonBytes = jsonBytes;
    this.#onFramed = onFramed;
  }

  /** Bytes of the events' JSON; who reads for itself never asks. */
  get jsonBytes(): number {
    return (this.#jsonBytes ??= this.entries.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0));
  }

  /** What its events are of, found out once for all who ask. */
  get kinds(): EventKinds {
    return (this.#kinds ??= kindsOf(this.entries));
  }

  /** Sequence of the newest event. */
  get last(): number {
    return this.entries.at(-1)?.sequence ?? this.after.sequence;
  }

  /** What it holds in memory: the events and their frames. */
  get bytes(): number {
    return this.jsonBytes + this.#framedBytes;
  }

  /** Where the first event after `sequence` stands among the entries; behind them all where there is none. */
  positionAfter(sequence: number): number {
    let position = Math.min(Math.max(0, sequence - this.after.sequence), this.entries.length);
    // Somebody may have deleted entries of the log.
    while (position > 0 && (this.entries[position - 1]?.sequence ?? 0) > sequence) position -= 1;
    return position;
  }

  /** The frames of the events from position `from` to before position `to`. */
  frames(form: Form, from: number, to: number): Buffer {
    const { bytes, ends } = this.#frame(form);
    return bytes.subarray(from === 0 ? 0 : ends[from - 1], to === 0 ? 0 : ends[to - 1]);
  }

  #frame(form: Form): Framed {
    const known = this.#framed.get(form);
    if (known !== undefined) return known;
    const { epoch } = this.after;
    const frames = this.entries.map((entry) =>
      form.encode({
        json: form.textOf(entry),
        cursor: formatCursor({ epoch, sequence: entry.sequence }),
      }),
    );
    const ends: number[] = [];
    let size = 0;
    for (const { length } of frames) ends.push((size += length));
    // Memory of its own: a slice of the pool would hold 64 KiB for as long as the slowest reader holds the slice.
    const bytes = Buffer.allocUnsafeSlow(size);
    frames.forEach((frame, position) => bytes.set(frame, position === 0 ? 0 : ends[position - 1]));
    const framed = { bytes, ends };
    this.#framed.set(form, framed);
    this.#framedBytes += size;
    this.#onFramed(size);
    return framed;
  }
}
