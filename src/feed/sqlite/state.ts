import type { SQLInputValue } from "node:sqlite";
import type { Cursor } from "../../schemas/cursor.ts";
import type { ResourceType } from "../../schemas/resources.ts";
import type { Scope } from "../../schemas/scope.ts";
import { LogUnavailable } from "../errors.ts";
import type { StateCut, StateEntry, StateFilter } from "../log.ts";
import type { Connection } from "./connection.ts";
import { readMeta, STATE_COLUMNS, stateOf } from "./rows.ts";

const BATCH_OBJECTS = 500;
/** A cut is read as fast as a subscriber takes it, who may be slow, and there may be many. */
const CUT_BATCH_OBJECTS = 100;

export function filterOf(scope: Scope): StateFilter {
  return scope.namespace === "*" ? { resource: scope.resource } : scope;
}

/**
 * The objects that match, ordered by resource, namespace, key. Each batch is a statement of its own that
 * starts behind the last object seen, so that nothing is held open while the consumer works.
 */
export async function* stateBatches(
  connection: Connection,
  filter: StateFilter,
  batchObjects = BATCH_OBJECTS,
): AsyncGenerator<StateEntry[]> {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  for (const column of ["resource", "namespace", "key"] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const sql = `SELECT ${STATE_COLUMNS} FROM state WHERE ${["(resource, namespace, key) > (?, ?, ?)", ...conditions].join(" AND ")}
    ORDER BY resource, namespace, key LIMIT ${batchObjects}`;
  // With the resource known, comparing only what follows it lets SQLite seek by both.
  const scoped = sql.replace("(resource, namespace, key) > (?, ?, ?)", "(namespace, key) > (?, ?)");
  let position: string[] = ["", "", ""];
  while (true) {
    const batch =
      filter.resource === undefined
        ? connection.all(sql, [...position, ...values]).map(stateOf)
        : connection.all(scoped, [...position.slice(1), ...values]).map(stateOf);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    if (batch.length < batchObjects) return;
    position = [last.ref.resource, last.ref.namespace, last.ref.key];
  }
}

/** Resource and namespace of all objects: one seek for each pair, however many objects there are. */
export function filledScopes(connection: Connection): Scope[] {
  const found: Scope[] = [];
  let last = ["", ""];
  for (;;) {
    const row = connection.get(
      `SELECT resource, namespace FROM state WHERE (resource, namespace) > (?, ?)
       ORDER BY resource, namespace LIMIT 1`,
      last,
    );
    if (row === undefined) return found;
    const [resource, namespace] = [row.text("resource"), row.text("namespace")];
    found.push({ resource: resource as ResourceType, namespace });
    last = [resource, namespace];
  }
}

/** Objects and cursor as of one moment, however long they are read: a read transaction on its own connection. */
export class SqliteStateCut implements StateCut {
  readonly cursor: Cursor;
  readonly #connection: Connection;
  readonly #filter: StateFilter;
  readonly #onDispose: (cut: SqliteStateCut) => void;
  #expired = false;

  constructor(log: Connection, filter: StateFilter, onDispose: (cut: SqliteStateCut) => void) {
    this.#connection = log.reader();
    this.#filter = filter;
    this.#onDispose = onDispose;
    try {
      this.#connection.exec("BEGIN");
      const { epoch, sequence } = readMeta(this.#connection);
      this.cursor = { epoch, sequence };
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  async *entries(): AsyncGenerator<StateEntry[]> {
    try {
      yield* stateBatches(this.#connection, this.#filter, CUT_BATCH_OBJECTS);
    } catch (error) {
      throw this.#expired ? expiredCut(this.#connection.path) : error;
    }
  }

  /** Takes the cut away from whoever holds it: the log grows on disk while a cut is open. */
  expire(): void {
    this.#expired = true;
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    this.#onDispose(this);
    return Promise.resolve();
  }
}

function expiredCut(path: string): LogUnavailable {
  return new LogUnavailable(
    `A reading of the state of ${path} was ended because it held up too much of the log`,
    {
      hint: "Read the state again, faster",
    },
  );
}
