import type { StateWrite } from "../feed/log.ts";
import {
  buildChangeEvents,
  buildSnapshotEvent,
  orderChanges,
  stateRevOf,
  type EventContext,
} from "../events/build.ts";
import { buildControlEvent, type ControlEvent } from "../events/control.ts";
import type { EventDraft } from "../schemas/draft.ts";
import type { Change } from "../schemas/change.ts";
import type { Scope } from "../schemas/scope.ts";
import type { CommitUnit } from "./chunks.ts";

/** How control events of one occurrence are told apart: see buildControlEvent. */
export interface Occurrence {
  readonly context: EventContext;
  readonly discriminator: string;
}

/** A poll's changes as events and state, in this order; lazily, since a catch-up may hold tens of thousands. */
export function* changeUnits(
  changes: readonly Change[],
  context: EventContext,
  knownEmptyScopesOf: (change: Change) => readonly Scope[],
): Generator<CommitUnit> {
  for (const change of changes) {
    const knownEmptyScopes = knownEmptyScopesOf(change);
    yield {
      events: buildChangeEvents(change, context),
      state: [stateWrite(change)],
      ...(knownEmptyScopes.length > 0 ? { knownEmptyScopes } : {}),
    };
  }
}

/** The changes of a resync between its begin and end marks. */
export function* resyncUnits(
  scope: Scope,
  reason: string,
  changes: Iterable<CommitUnit>,
  occurrence: Occurrence,
): Generator<CommitUnit> {
  yield controlUnit({ kind: "resync", scope, phase: "begin", reason }, occurrence);
  yield* changes;
  yield controlUnit({ kind: "resync", scope, phase: "end", reason }, occurrence);
}

/**
 * A scope's first poll: state without events (or one `snapshot` event an object), then the baseline mark. Where an
 * earlier attempt was cut short, part of it was told already: what changed in that part since is told as a change.
 */
export function* baselineUnits(
  scope: Scope,
  found: { changes: readonly Change[]; count: number; index: string },
  withEvents: boolean,
  occurrence: Occurrence,
): Generator<CommitUnit> {
  for (const change of orderChanges(found.changes)) {
    yield { events: baselineEvents(change, withEvents, occurrence.context), state: [stateWrite(change)] };
  }
  yield controlUnit({ kind: "baseline", scope, count: found.count, index: found.index }, occurrence);
}

function baselineEvents(change: Change, withEvents: boolean, context: EventContext): EventDraft[] {
  if (change.op !== "create") return buildChangeEvents(change, context);
  return withEvents ? [buildSnapshotEvent(change.ref, change.after, context)] : [];
}

export function controlUnit(event: ControlEvent, occurrence: Occurrence): CommitUnit {
  const { source, nomadEpoch, observation, traceparent } = occurrence.context;
  const draft = buildControlEvent(event, {
    source,
    nomadEpoch,
    observedAt: observation.observedAt,
    discriminator: occurrence.discriminator,
    traceparent,
  });
  return { events: [draft], state: [] };
}

function stateWrite(change: Change): StateWrite {
  if (change.op === "delete") return { ref: change.ref, next: null };
  return { ref: change.ref, next: { rev: stateRevOf(change), stub: change.after.bytes } };
}
