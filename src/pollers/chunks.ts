import type { EventDraft } from "../schemas/draft.ts";
import type { Scope } from "../schemas/scope.ts";
import type { StateWrite } from "../feed/log.ts";

/** What must be written together: an object's events and its new state. */
export interface Piece {
  readonly events: readonly EventDraft[];
  readonly state: readonly StateWrite[];
  readonly births?: readonly Scope[];
}

export interface Chunk {
  readonly events: EventDraft[];
  readonly state: StateWrite[];
  readonly births: Scope[];
  /** Of events and state. */
  readonly bytes: number;
  /** Whether this is the last one: it moves the checkpoint. */
  readonly last: boolean;
}

const CHUNK_LIMITS = { events: 500, bytes: 512 * 1024 };

/**
 * Groups pieces, in order, into chunks small enough not to hold up the log; one piece is never split. There is
 * always a last chunk, empty where there was nothing to write.
 */
export function* chunk(pieces: Iterable<Piece>, limits = CHUNK_LIMITS): Generator<Chunk> {
  let events: EventDraft[] = [];
  let state: StateWrite[] = [];
  let births: Scope[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    const pieceBytes = sizeOf(piece);
    const full =
      events.length + piece.events.length > limits.events ||
      state.length + piece.state.length > limits.events ||
      bytes + pieceBytes > limits.bytes;
    if (full && events.length + state.length > 0) {
      yield { events, state, births, bytes, last: false };
      events = [];
      state = [];
      births = [];
      bytes = 0;
    }
    events.push(...piece.events);
    state.push(...piece.state);
    births.push(...(piece.births ?? []));
    bytes += pieceBytes;
  }
  yield { events, state, births, bytes, last: true };
}

function sizeOf(piece: Piece): number {
  let bytes = 0;
  for (const event of piece.events) {
    bytes += event.head.length + event.tail.length + (event.overflow?.length ?? 0);
  }
  for (const write of piece.state) bytes += write.next?.stub.length ?? 0;
  return bytes;
}
