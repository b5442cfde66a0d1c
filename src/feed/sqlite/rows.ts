import type { Aspect, LogEntry, Op } from "../../schemas/draft.ts";
import type { ResourceType } from "../../schemas/resources.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { ScopeRecord } from "../claims.ts";
import {
  NO_NOTES,
  type Checkpoint,
  type Consumer,
  type DeadLetter,
  type FeedHead,
  type ScopeNotes,
  type ScopeStatus,
  type StateEntry,
  type StoredDocument,
} from "../log.ts";
import type { HistoryFacts } from "../log.ts";
import type { Connection, Row } from "./connection.ts";
import { damaged } from "./errors.ts";

export const FACT_COLUMNS = "type, resource, namespace, key, op, aspect, signals, severity, job, node";
export const EVENT_COLUMNS = `sequence, id, ${FACT_COLUMNS}, time, data`;

export function entryOf(row: Row): LogEntry {
  return { ...factsOf(row), id: row.text("id"), time: row.text("time"), json: row.text("data") };
}

/** What only our own code writes is taken at its word: `op`, `aspect`, `severity`, `resource`. */
export function factsOf(row: Row): HistoryFacts {
  const signals = row.text("signals");
  return {
    sequence: row.integer("sequence"),
    type: row.text("type"),
    resource: row.textOrNull("resource"),
    namespace: row.textOrNull("namespace"),
    key: row.textOrNull("key"),
    op: row.textOrNull("op") as Op | null,
    aspect: row.textOrNull("aspect") as Aspect | null,
    // Most events have none.
    signals: signals === "[]" ? [] : (JSON.parse(signals) as string[]),
    severity: row.text("severity") as Severity,
    job: row.textOrNull("job"),
    node: row.textOrNull("node"),
  };
}

/** The version of the file's schema. */
export function formatOf(connection: Connection): number {
  return connection.get("PRAGMA user_version")?.integer("user_version") ?? 0;
}

export interface Meta extends FeedHead {
  readonly source: string;
  /** Highest fence given out. */
  readonly fence: number;
  /** Bytes of JSON the log holds, overflow included. */
  readonly bytes: number;
}

export function readMeta(connection: Connection): Meta {
  const row = connection.get(
    "SELECT source, epoch, sequence, floor, bytes, fence, nomad_epoch FROM meta WHERE one = 1",
  );
  if (row === undefined) throw damaged(connection.path, "table meta is empty");
  return {
    source: row.text("source"),
    epoch: row.text("epoch"),
    sequence: row.integer("sequence"),
    floor: row.integer("floor"),
    bytes: row.integer("bytes"),
    fence: row.integer("fence"),
    nomadEpoch: row.integer("nomad_epoch"),
  };
}

export function headOf(meta: Meta): FeedHead {
  const { epoch, sequence, floor, nomadEpoch } = meta;
  return { epoch, sequence, floor, nomadEpoch };
}

export interface ScopeRow extends ScopeRecord, ScopeStatus {
  readonly scope: ScopeStatus["scope"];
  readonly fence: number;
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  readonly commitId: string | null;
  readonly notes: ScopeNotes;
  readonly first: number;
  readonly last: number;
}

export function scopeOf(row: Row): ScopeRow {
  return {
    scope: { resource: row.text("resource") as ResourceType, namespace: row.text("namespace") },
    fence: row.integer("fence"),
    owner: row.text("owner"),
    rev: row.integer("rev"),
    baselined: row.integer("baselined") === 1,
    checkpoint: checkpointOf(row),
    checkpointFence: row.integer("checkpoint_fence"),
    commitId: row.textOrNull("commit_id"),
    first: row.integer("first"),
    last: row.integer("last"),
    notes: notesOf(row),
  };
}

function notesOf(row: Row): ScopeNotes {
  const text = row.textOrNull("memo");
  return text === null ? NO_NOTES : (JSON.parse(text) as ScopeNotes);
}

function checkpointOf(row: Row): Checkpoint | null {
  const index = row.textOrNull("raft_index");
  if (index === null) return null;
  return {
    index,
    nomadEpoch: row.integer("nomad_epoch"),
    count: row.integer("count"),
    observedAt: row.text("observed_at"),
  };
}

/** The stub is kept as text, for the sqlite3 shell, and read as the bytes it is. */
export const STATE_COLUMNS = "resource, namespace, key, rev, CAST(stub AS BLOB) AS stub";

export function stateOf(row: Row): StateEntry {
  return {
    ref: {
      resource: row.text("resource") as ResourceType,
      namespace: row.text("namespace"),
      key: row.text("key"),
    },
    rev: row.text("rev"),
    stub: row.bytes("stub"),
  };
}

export function consumerOf(row: Row): Consumer {
  return {
    name: row.text("name"),
    cursor: { epoch: row.text("epoch"), sequence: row.integer("sequence") },
    updatedAt: row.text("updated_at"),
    lastError: row.textOrNull("last_error"),
    // Files of before have no such column.
    owner: row.has("owner") ? row.textOrNull("owner") : null,
  };
}

export function documentOf(row: Row): StoredDocument {
  return {
    name: row.text("name"),
    owner: row.text("owner"),
    fence: row.integer("fence"),
    text: row.textOrNull("text"),
    updatedAt: row.text("updated_at"),
  };
}

export function deadLetterOf(row: Row): DeadLetter {
  return {
    cursor: { epoch: row.text("epoch"), sequence: row.integer("sequence") },
    id: row.text("id"),
    json: row.text("data"),
    reason: row.text("reason"),
    attempts: row.integer("attempts"),
    parkedAt: row.text("parked_at"),
  };
}
