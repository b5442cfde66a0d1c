import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import {
  bookmarkFrame,
  errorFrame,
  gapFrame,
  helloFrame,
  pongFrame,
  snapshotFrame,
  PROTOCOL_VERSION,
  type FrameContext,
} from "../../schemas/frames-schema.ts";
import { publicText } from "../../schemas/public-text.ts";
import { outcomeOf, speaksForItself } from "./outcomes.ts";
import type { Frame } from "./sink.ts";
import type { Gap, StartPoint } from "./start.ts";

/** Builds the frames of one connection, which tell how the stream stands and are not in the log. */
export class ConnectionFrames {
  readonly #source: string;
  readonly #connectionId: string;
  readonly #nowMs: () => number;
  #count = 0;

  constructor(options: { source: string; connectionId: string; nowMs: () => number }) {
    this.#source = options.source;
    this.#connectionId = options.connectionId;
    this.#nowMs = options.nowMs;
  }

  /** What a stream begins with: hello, and where events are missing, which. */
  opening({ cursor, head, gap, snapshot = false }: StartPoint): Frame[] {
    const { epoch } = head;
    const start = formatCursor(cursor);
    // Who comes back from the middle of a snapshot must not be taken for one that had all of it.
    const resume = snapshot ? undefined : start;
    const hello = helloFrame(this.#context(), {
      protocol: PROTOCOL_VERSION,
      feed: this.#source,
      epoch,
      cursor: start,
      floor: formatCursor({ epoch, sequence: head.floor }),
      head: formatCursor(head),
      gap: gap !== undefined,
    });
    const frames: Frame[] = [{ json: hello, cursor: resume, connectionType: "nomad.feed.hello" }];
    if (gap === undefined) return frames;
    return [...frames, this.#gap(gap, start, cursor.sequence, resume)];
  }

  /** Of events that are missing in the midst of a stream, which goes on after `cursor`. */
  gap(gap: Gap, cursor: Cursor): Frame {
    const text = formatCursor(cursor);
    return this.#gap(gap, text, cursor.sequence, text);
  }

  #gap({ reason, wanted }: Gap, cursor: string, sequence: number, resume: string | undefined): Frame {
    const data = { reason, wanted: formatCursor(wanted), cursor };
    const missed = reason === "epoch-changed" ? 0 : sequence - wanted.sequence;
    const json = gapFrame(this.#context(), missed > 0 ? { ...data, missed } : data);
    return { json, cursor: resume, connectionType: "nomad.feed.gap" };
  }

  snapshotBegin(cursor: Cursor): Frame {
    const json = snapshotFrame(this.#context(), { phase: "begin", cursor: formatCursor(cursor) });
    return { json, cursor: undefined, connectionType: "nomad.feed.snapshot" };
  }

  snapshotEnd(cursor: Cursor, count: number): Frame {
    const text = formatCursor(cursor);
    const json = snapshotFrame(this.#context(), { phase: "end", cursor: text, count });
    return { json, cursor: text, connectionType: "nomad.feed.snapshot" };
  }

  bookmark(cursor: Cursor): Frame {
    const text = formatCursor(cursor);
    return {
      json: bookmarkFrame(this.#context(), { cursor: text }),
      cursor: text,
      connectionType: "nomad.feed.bookmark",
    };
  }

  pong(ping: number): Frame {
    const json = pongFrame(this.#context(), { ping });
    return { json, cursor: undefined, connectionType: "nomad.feed.pong" };
  }

  /**
   * The last frame. What is not meant for a subscriber's eyes is called an internal error. `reached` is undefined
   * where there is no place to go on from.
   */
  error(error: unknown, reached: Cursor | undefined): Frame {
    const { closeCode } = outcomeOf(error);
    const data = { ...publicError(error), closeCode, ...resumeCursor(error, reached) };
    const json = errorFrame(this.#context(), data);
    return { json, cursor: undefined, connectionType: "nomad.feed.error" };
  }

  #context(): FrameContext {
    this.#count += 1;
    const time = new Date(this.#nowMs()).toISOString();
    return { source: this.#source, id: `${this.#connectionId}/${this.#count}`, time };
  }
}

export interface PublicError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * What a subscriber may know of an error. What is about their request, or made to be told, they get in full; trouble of
 * ours in words that name nothing of ours; a defect by its name only.
 */
export function publicError(error: unknown): PublicError {
  if (!(error instanceof ChangefeedError)) return { code: "INTERNAL", ...publicText(error) };
  const { code, message, hint } = error;
  if (!speaksForItself(error)) return { code, ...publicText(error) };
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** Where to go on: not where the cursor itself is what is wrong. */
function resumeCursor(error: unknown, reached: Cursor | undefined): { cursor?: string } {
  const { closeCode } = outcomeOf(error);
  return reached === undefined || (closeCode >= 4409 && closeCode <= 4412)
    ? {}
    : { cursor: formatCursor(reached) };
}
