import type { Cursor } from "../../schemas/cursor.ts";
import { sealDraft, type EventDraft, type LogEntry } from "../../schemas/draft.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import { scopeName, type Scope } from "../../schemas/scope.ts";
import { currentFence, inherit } from "../claims.ts";
import { Conflict, Fenced } from "../errors.ts";
import {
  NO_NOTES,
  type Appended,
  type Claim,
  type Commit,
  type Committed,
  type ScopeNotes,
  type StateWrite,
} from "../log.ts";
import type { Connection } from "./connection.ts";
import { readMeta, scopeOf, type ScopeRow } from "./rows.ts";

/** Takes the scope in one transaction. */
export function claimScope(connection: Connection, scope: Scope, owner: string): Claim {
  return connection.transaction(() => {
    const known = overlapping(connection, scope);
    const heritage = inherit(scope, known);
    const fence = readMeta(connection).fence + 1;
    connection.run("UPDATE meta SET fence = ? WHERE one = 1", [fence]);
    connection.run(
      `INSERT INTO scopes (resource, namespace, fence, owner) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET fence = excluded.fence, owner = excluded.owner`,
      [scope.resource, scope.namespace, fence, owner],
    );
    const { baselined, borrowed } = heritage;
    const checkpoint =
      heritage.checkpoint !== null && borrowed
        ? { ...heritage.checkpoint, count: countState(connection, scope) }
        : heritage.checkpoint;
    const own = find(known, scope);
    return {
      scope,
      fence,
      rev: own?.rev ?? 0,
      baselined,
      checkpoint,
      borrowed,
      notes: own?.notes ?? NO_NOTES,
    };
  });
}

/**
 * Writes the whole commit in one transaction, `nowText` being the time of recording (RFC 3339, UTC, ms). `keep` is
 * called before an object's state is changed. Answers the events too, if it appended any.
 */
export function commitChunk(
  connection: Connection,
  commit: Commit,
  { nowText, keep }: { nowText: string; keep: (ref: ObjectRef) => void },
): { readonly committed: Committed; readonly appended?: Appended } {
  return connection.transaction(() => {
    const { scope, fence, commitId } = commit;
    const known = overlapping(connection, scope);
    const own = find(known, scope);
    const newest = currentFence(scope, known);
    if (own === undefined || own.fence !== fence || newest !== fence)
      throw new Fenced(`Scope ${scopeName(scope)}`, fence, newest);
    if (own.rev !== commit.expectedRev) {
      if (own.commitId !== commitId) throw new Conflict(scope, commit.expectedRev, own.rev);
      return { committed: { status: "duplicate", first: own.first, last: own.last, rev: own.rev } };
    }
    const meta = readMeta(connection);
    const count = commit.events.length;
    const last = meta.sequence + count;
    const first = count === 0 ? 0 : meta.sequence + 1;
    const after = { epoch: meta.epoch, sequence: meta.sequence };
    const { bytes, ...events } = appendEvents(connection, commit.events, after, nowText);
    writeState(connection, commit.state, keep);
    for (const empty of commit.knownEmptyScopes ?? []) recordKnownEmpty(connection, empty);
    const rev = own.rev + 1;
    connection.run(
      "UPDATE scopes SET rev = ?, commit_id = ?, first = ?, last = ? WHERE resource = ? AND namespace = ?",
      [rev, commitId, first, count === 0 ? 0 : last, scope.resource, scope.namespace],
    );
    if (commit.checkpoint !== undefined) moveCheckpoint(connection, commit, commit.checkpoint);
    if (commit.notes !== undefined) keepNotes(connection, scope, commit.notes);
    connection.run("UPDATE meta SET sequence = ?, bytes = bytes + ? WHERE one = 1", [last, bytes]);
    return {
      committed: { status: "committed", first, last: count === 0 ? 0 : last, rev },
      ...(count > 0 && { appended: { after, ...events } }),
    };
  });
}

/** Every known scope that can hold the same objects, this one included. */
function overlapping(connection: Connection, scope: Scope): ScopeRow[] {
  if (scope.namespace === "*") {
    return connection.all("SELECT * FROM scopes WHERE resource = ?", [scope.resource]).map(scopeOf);
  }
  return connection
    .all("SELECT * FROM scopes WHERE resource = ? AND namespace IN (?, '*')", [
      scope.resource,
      scope.namespace,
    ])
    .map(scopeOf);
}

function find(known: readonly ScopeRow[], scope: Scope): ScopeRow | undefined {
  return known.find((row) => row.scope.namespace === scope.namespace);
}

function countState(connection: Connection, scope: Scope): number {
  const row =
    scope.namespace === "*"
      ? connection.get("SELECT count(*) AS count FROM state WHERE resource = ?", [scope.resource])
      : connection.get("SELECT count(*) AS count FROM state WHERE resource = ? AND namespace = ?", [
          scope.resource,
          scope.namespace,
        ]);
  return row?.integer("count") ?? 0;
}

/** Answers what is in the log now, the bytes of each event's JSON, and those of all JSON written. */
export function appendEvents(
  connection: Connection,
  events: readonly EventDraft[],
  after: Cursor,
  nowText: string,
): { entries: LogEntry[]; sizes: number[]; bytes: number } {
  const entries: LogEntry[] = [];
  const sizes: number[] = [];
  if (events.length === 0) return { entries, sizes, bytes: 0 };
  const recordedAt = notBeforeTheLast(connection, nowText);
  let bytes = 0;
  for (const event of events) {
    const sequence = after.sequence + entries.length + 1;
    const data = sealDraft(event, after.epoch, sequence);
    entries.push(entryOf(event, sequence, data));
    const size = Buffer.byteLength(data);
    sizes.push(size);
    bytes += size;
    const place = [event.resource, event.namespace, event.key, event.job, event.node];
    const kind = [event.op, event.aspect, event.severity, JSON.stringify(event.signals)];
    connection.run(
      `INSERT INTO events (sequence, recorded_at, time, type, resource, namespace, key, job, node, op, aspect,
       severity, signals, id, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [sequence, recordedAt, event.time, event.type, ...place, ...kind, event.id, data],
    );
    for (const signal of new Set(event.signals)) {
      connection.run("INSERT INTO event_signals (signal, sequence) VALUES (?, ?)", [signal, sequence]);
    }
    if (event.overflow !== null) {
      bytes += Buffer.byteLength(event.overflow);
      connection.run("INSERT INTO overflow (sequence, data) VALUES (?, ?)", [sequence, event.overflow]);
    }
  }
  return { entries, sizes, bytes };
}

function entryOf(event: EventDraft, sequence: number, json: string): LogEntry {
  const { id, type, resource, namespace, key, op, aspect, signals, severity, job, node, time } = event;
  const facts = { id, type, resource, namespace, key, op, aspect, signals, severity, job, node, time };
  return { sequence, ...facts, json };
}

/** A clock that was set back must not break the order of `recorded_at`, on which every bound on time rests. */
function notBeforeTheLast(connection: Connection, nowText: string): string {
  const last = connection
    .get("SELECT recorded_at FROM events ORDER BY sequence DESC LIMIT 1")
    ?.text("recorded_at");
  return last !== undefined && last > nowText ? last : nowText;
}

function writeState(
  connection: Connection,
  writes: readonly StateWrite[],
  keep: (ref: ObjectRef) => void,
): void {
  for (const { ref, next } of writes) {
    keep(ref);
    if (next === null) {
      connection.run("DELETE FROM state WHERE resource = ? AND namespace = ? AND key = ?", [
        ref.resource,
        ref.namespace,
        ref.key,
      ]);
    } else {
      connection.run(
        `INSERT INTO state (resource, namespace, key, rev, stub) VALUES (?, ?, ?, ?, CAST(? AS TEXT))
         ON CONFLICT (resource, namespace, key) DO UPDATE SET rev = excluded.rev, stub = excluded.stub`,
        [ref.resource, ref.namespace, ref.key, next.rev, next.stub],
      );
    }
  }
}

export function recordKnownEmpty(connection: Connection, scope: Scope): void {
  connection.run(
    "INSERT INTO scopes (resource, namespace, baselined) VALUES (?, ?, 1) ON CONFLICT DO NOTHING",
    [scope.resource, scope.namespace],
  );
}

function moveCheckpoint(
  connection: Connection,
  commit: Commit,
  checkpoint: NonNullable<Commit["checkpoint"]>,
): void {
  const { index, nomadEpoch, count, observedAt } = checkpoint;
  connection.run(
    `UPDATE scopes SET baselined = 1, checkpoint_fence = ?, raft_index = ?, nomad_epoch = ?, count = ?,
     observed_at = ? WHERE resource = ? AND namespace = ?`,
    [commit.fence, index, nomadEpoch, count, observedAt, commit.scope.resource, commit.scope.namespace],
  );
  liftNomadEpoch(connection, nomadEpoch);
}

function keepNotes(connection: Connection, scope: Scope, notes: ScopeNotes): void {
  connection.run("UPDATE scopes SET memo = ? WHERE resource = ? AND namespace = ?", [
    JSON.stringify(notes),
    scope.resource,
    scope.namespace,
  ]);
  if (notes.resync !== null) liftNomadEpoch(connection, notes.resync.nomadEpoch);
}

function liftNomadEpoch(connection: Connection, nomadEpoch: number): void {
  connection.run("UPDATE meta SET nomad_epoch = max(nomad_epoch, ?) WHERE one = 1", [nomadEpoch]);
}
