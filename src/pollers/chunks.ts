import type { EventDraft } from "../schemas/draft.ts";
import type { Scope } from "../schemas/scope.ts";
import type { StateWrite } from "../feed/log.ts";

/** What must be written together: an object's events and its new state. */
export interface CommitUnit {
  readonly events: readonly EventDraft[];
  readonly state: readonly StateWrite[];
  readonly knownEmptyScopes?: readonly Scope[];
}

export interface Chunk {
  readonly events: EventDraft[];
  readonly state: StateWrite[];
  readonly knownEmptyScopes: Scope[];
  /** Of events and state. */
  readonly bytes: number;
  /** Whether this is the last one: it moves the checkpoint. */
  readonly last: boolean;
}

const CHUNK_LIMITS = { events: 500, bytes: 512 * 1024 };

/**
 * Groups units, in order, into chunks small enough not to hold up the log; one unit is never split. There is
 * always a last chunk, empty where there was nothing to write.
 */
export function* chunk(units: Iterable<CommitUnit>, limits = CHUNK_LIMITS): Generator<Chunk> {
  let events: EventDraft[] = [];
  let state: StateWrite[] = [];
  let knownEmptyScopes: Scope[] = [];
  let bytes = 0;
  for (const unit of units) {
    const unitBytes = sizeOf(unit);
    const full =
      events.length + unit.events.length > limits.events ||
      state.length + unit.state.length > limits.events ||
      bytes + unitBytes > limits.bytes;
    if (full && events.length + state.length > 0) {
      yield { events, state, knownEmptyScopes, bytes, last: false };
      events = [];
      state = [];
      knownEmptyScopes = [];
      bytes = 0;
    }
    events.push(...unit.events);
    state.push(...unit.state);
    knownEmptyScopes.push(...(unit.knownEmptyScopes ?? []));
    bytes += unitBytes;
  }
  yield { events, state, knownEmptyScopes, bytes, last: true };
}

function sizeOf(unit: CommitUnit): number {
  let bytes = 0;
  for (const event of unit.events) {
    bytes += event.head.length + event.tail.length + (event.overflow?.length ?? 0);
  }
  for (const write of unit.state) bytes += write.next?.stub.length ?? 0;
  return bytes;
}
