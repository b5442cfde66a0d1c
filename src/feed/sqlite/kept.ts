import type { ObjectRef } from "../../schemas/resources.ts";
import type { StateEntry, StateFilter, StatePart } from "../log.ts";
import type { Connection, Row } from "./connection.ts";
import { STATE_COLUMNS, stateOf } from "./rows.ts";
import { BATCH_LIMITS, partsOf } from "./state.ts";

/**
 * What commits replaced while consistent reads were open, in order; null where there was no such object. The state as
 * it was when row n was the last: of each object the first row after n, and where there is none what the state has now.
 * In memory, since a commit must not fail because the place for temporary files is full.
 */
const TABLE = `PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE kept (
  id        INTEGER PRIMARY KEY,
  resource  TEXT NOT NULL,
  namespace TEXT NOT NULL,
  key       TEXT NOT NULL,
  rev       TEXT,
  stub      TEXT
);
CREATE INDEX temp.kept_by_key ON kept (resource, namespace, key);`;

const KEEP = `INSERT INTO kept (id, resource, namespace, key, rev, stub)
  SELECT ?5, ?1, ?2, ?3, rev, stub
  FROM (SELECT 1) LEFT JOIN state ON resource = ?1 AND namespace = ?2 AND key = ?3
  WHERE NOT EXISTS (SELECT 1 FROM kept WHERE resource = ?1 AND namespace = ?2 AND key = ?3 AND id > ?4)`;

const OF_PART = "resource = ?1 AND namespace = ?2";
const SQL = {
  keptNext: `SELECT ${STATE_COLUMNS} FROM kept WHERE ${OF_PART} AND key > ?3 AND id > ?4 ORDER BY key, id LIMIT 1`,
  keptOne: `SELECT ${STATE_COLUMNS} FROM kept WHERE ${OF_PART} AND key = ?3 AND id > ?4 ORDER BY id LIMIT 1`,
  stateAfter: `SELECT ${STATE_COLUMNS} FROM state WHERE ${OF_PART} AND key > ?3 ORDER BY key LIMIT ?4`,
  stateBetween: `SELECT ${STATE_COLUMNS} FROM state WHERE ${OF_PART} AND key > ?3 AND key < ?5 ORDER BY key LIMIT ?4`,
  stateOne: `SELECT ${STATE_COLUMNS} FROM state WHERE ${OF_PART} AND key = ?3`,
};

/** The values that commits replaced, of the log of this connection, and the state as of any moment since the first. */
export class KeptValues {
  readonly #connection: Connection;
  #last = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.exec(TABLE);
  }

  /** Names this moment. */
  get last(): number {
    return this.#last;
  }

  /** Keeps an object as it is, unless that was done after moment `since`. Within the transaction that replaces it. */
  keep({ resource, namespace, key }: ObjectRef, since: number): void {
    this.#last += 1;
    this.#connection.run(KEEP, [resource, namespace, key, since, this.#last]);
  }

  /** Drops what only moments before `moment` need, at most `limit` values. Answers whether there was any. */
  drop(moment: number, limit: number): boolean {
    const ids = "SELECT id FROM kept WHERE id <= ? ORDER BY id LIMIT ?";
    return this.#connection.run(`DELETE FROM kept WHERE id IN (${ids})`, [moment, limit]) > 0;
  }

  get bytes(): number {
    const of = (name: string) => this.#connection.get(`PRAGMA temp.${name}`)?.integer(name) ?? 0;
    return (of("page_count") - of("freelist_count")) * of("page_size");
  }

  /** The objects that match as of `moment`, ordered by resource, namespace, key. */
  *batchesAt(moment: number, filter: StateFilter): Generator<StateEntry[]> {
    for (const part of partsOf(this.#connection, filter, ["state", "kept"])) {
      if (filter.includes?.(part) === false) yield [];
      else if (filter.key === undefined) yield* this.#partAt(moment, part);
      else yield this.#oneAt(moment, { ...part, key: filter.key });
    }
  }

  #oneAt(moment: number, { resource, namespace, key }: ObjectRef): StateEntry[] {
    const object = [resource, namespace, key];
    const row =
      this.#connection.get(SQL.keptOne, [...object, moment]) ?? this.#connection.get(SQL.stateOne, object);
    return row === undefined || row.textOrNull("rev") === null ? [] : [stateOf(row)];
  }

  *#partAt(moment: number, part: StatePart): Generator<StateEntry[]> {
    let position: string | undefined = "";
    while (position !== undefined) {
      const batch = new Batch(position);
      position = this.#fill(batch, moment, part) ? batch.position : undefined;
      yield batch.entries;
    }
  }

  /** What the state has up to the next object that was replaced, then that, and so on. False at the end of the part. */
  #fill(batch: Batch, moment: number, { resource, namespace }: StatePart): boolean {
    while (batch.room > 0) {
      const place = [resource, namespace, batch.position];
      const replaced = this.#connection.get(SQL.keptNext, [...place, moment]);
      const [sql, values] =
        replaced === undefined
          ? [SQL.stateAfter, [...place, batch.room]]
          : [SQL.stateBetween, [...place, batch.room, replaced.text("key")]];
      this.#connection.each(sql, values, (row) => batch.add(row));
      if (batch.room <= 0) return true;
      if (replaced === undefined) return false;
      batch.add(replaced);
    }
    return true;
  }
}

class Batch {
  readonly entries: StateEntry[] = [];
  /** Key of the last object that was looked at. */
  position: string;
  #looked = 0;
  #bytes = 0;

  constructor(position: string) {
    this.position = position;
  }

  /** How many more objects may be looked at. */
  get room(): number {
    return this.#bytes < BATCH_LIMITS.bytes ? BATCH_LIMITS.objects - this.#looked : 0;
  }

  /** Answers whether there is room for another. */
  add(row: Row): boolean {
    this.position = row.text("key");
    this.#looked += 1;
    if (row.textOrNull("rev") !== null) {
      const entry = stateOf(row);
      this.entries.push(entry);
      this.#bytes += entry.stub.length;
    }
    return this.room > 0;
  }
}
