import type { TrimLimits } from "../log.ts";
import type { Connection } from "./connection.ts";
import { readMeta, type Meta } from "./rows.ts";

/** Events one transaction removes: a few milliseconds of work, then others have their turn. */
const BATCH_EVENTS = 100;
/** Pages given back to the file system at a time, and how many may lie free for new events to use. */
const RECLAIM_PAGES = 512;
const FREE_PAGES_KEPT = 2048;

/** RFC 3339 in UTC with milliseconds, as `recorded_at` is written: texts compare as the times do. */
export function recordedText(timeMs: number): string {
  return new Date(Math.min(Math.max(timeMs, 0), Date.UTC(9999, 11, 31))).toISOString();
}

/** Sequence of the last event recorded before `timeMs`; the floor where there is none. */
export function lastBefore(connection: Connection, timeMs: number, floor: number): number {
  const row = connection.get(
    "SELECT sequence FROM events WHERE recorded_at < ? ORDER BY recorded_at DESC, sequence DESC LIMIT 1",
    [recordedText(timeMs)],
  );
  return row?.integer("sequence") ?? floor;
}

/** When the oldest and the newest event were recorded, ms since 1970; null where there is none. */
export function recordedTimes(connection: Connection): { oldestMs: number | null; newestMs: number | null } {
  const timeOf = (order: "ASC" | "DESC") => {
    const row = connection.get(`SELECT recorded_at FROM events ORDER BY sequence ${order} LIMIT 1`);
    return row === undefined ? null : Date.parse(row.text("recorded_at"));
  };
  return { oldestMs: timeOf("ASC"), newestMs: timeOf("DESC") };
}

/** Removes the oldest events beyond the limits, at most a batch of them. Answers how many went. */
export function trimBatch(connection: Connection, limits: TrimLimits): number {
  const meta = readMeta(connection);
  if (!exceeds(connection, meta, limits)) return 0;
  return connection.transaction(() => {
    const { floor, bytes } = place(connection, readMeta(connection), limits);
    const removed = removeThrough(connection, floor);
    connection.run("UPDATE meta SET floor = ?, bytes = ? WHERE one = 1", [floor, bytes]);
    return removed;
  });
}

/** Gives free pages beyond a reserve back to the file system, some at a time. Answers whether more may follow. */
export function reclaimBatch(connection: Connection): boolean {
  const free = connection.get("PRAGMA freelist_count")?.integer("freelist_count") ?? 0;
  const total = connection.get("PRAGMA page_count")?.integer("page_count") ?? 0;
  if (free <= Math.max(FREE_PAGES_KEPT, total / 4)) return false;
  connection.exec(`PRAGMA incremental_vacuum(${RECLAIM_PAGES})`);
  return true;
}

function exceeds(connection: Connection, meta: Meta, limits: TrimLimits): boolean {
  if (meta.floor >= lastThatMayGo(meta, limits)) return false;
  return meta.floor < wantedFloor(connection, meta, limits) || meta.bytes > (limits.maxBytes ?? Infinity);
}

function lastThatMayGo({ sequence }: Meta, { keepAfter = sequence }: TrimLimits): number {
  return Math.min(sequence, keepAfter);
}

function wantedFloor(connection: Connection, meta: Meta, limits: TrimLimits): number {
  const byCount = limits.maxEvents === undefined ? 0 : meta.sequence - Math.max(0, limits.maxEvents);
  const { recordedBeforeMs } = limits;
  const byAge = recordedBeforeMs === undefined ? 0 : lastBefore(connection, recordedBeforeMs, meta.floor);
  return Math.max(meta.floor, byCount, byAge);
}

/** The floor this batch reaches, and the bytes left above it. */
function place(connection: Connection, meta: Meta, limits: TrimLimits) {
  const wanted = wantedFloor(connection, meta, limits);
  const last = lastThatMayGo(meta, limits);
  let { floor, bytes } = meta;
  connection.each(
    `SELECT sequence, octet_length(events.data) + coalesce(octet_length(overflow.data), 0) AS bytes
     FROM events LEFT JOIN overflow USING (sequence) WHERE sequence > ? ORDER BY sequence LIMIT ${BATCH_EVENTS}`,
    [floor],
    (row) => {
      const sequence = row.integer("sequence");
      if (sequence > last || (floor >= wanted && bytes <= (limits.maxBytes ?? Infinity))) return false;
      floor = sequence;
      bytes -= row.integer("bytes");
      return true;
    },
  );
  return { floor, bytes };
}

function removeThrough(connection: Connection, floor: number): number {
  connection.run(
    `DELETE FROM event_signals WHERE (signal, sequence) IN
     (SELECT value, sequence FROM events, json_each(events.signals) WHERE sequence <= ?)`,
    [floor],
  );
  connection.run("DELETE FROM overflow WHERE sequence <= ?", [floor]);
  return connection.run("DELETE FROM events WHERE sequence <= ?", [floor]);
}
