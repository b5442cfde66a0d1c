import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { LogUnavailable } from "../errors.ts";
import { damaged, translate } from "./errors.ts";

type Columns = readonly SQLOutputValue[];

/** Where each column is, by its name. */
type Places = ReadonlyMap<string, number>;

/** A statement that gives rows without names: Node takes longer to name their columns than to read them. */
class Prepared {
  readonly statement: StatementSync;
  readonly #path: string;
  #places: Places = new Map();
  #count = 0;

  constructor(statement: StatementSync, path: string) {
    this.statement = statement;
    this.#path = path;
    statement.setReturnArrays(true);
  }

  /** Columns may have been added since the last row, also by another process; none is renamed. */
  row(columns: Columns): Row {
    if (columns.length !== this.#count) {
      this.#places = new Map(this.statement.columns().map(({ name }, place) => [name, place]));
      this.#count = columns.length;
    }
    return new Row(columns, this.#places, this.#path);
  }
}

/**
 * One connection to the log's file. Statements are compiled once; whatever SQLite throws comes out as an error
 * of feed/errors.ts. Everything is synchronous, so a transaction is never interleaved with another call.
 */
export class Connection {
  readonly path: string;
  readonly #immutable: boolean;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();

  /** `immutable`: reads the file alone, without locks and without the write-ahead file beside it. */
  constructor(path: string, options: { readOnly: boolean; busyMs: number; immutable?: boolean }) {
    this.path = path;
    this.#immutable = options.immutable === true;
    const location = pathToFileURL(path);
    if (this.#immutable) location.search = "?immutable=1";
    this.#database = this.#guard(
      () => new DatabaseSync(location, { readOnly: options.readOnly, timeout: options.busyMs }),
    );
  }

  /** A second connection to the same file, for reading. */
  reader(): Connection {
    return new Connection(this.path, { readOnly: true, busyMs: 1000, immutable: this.#immutable });
  }

  exec(sql: string): void {
    this.#guard(() => this.#database.exec(sql));
  }

  run(sql: string, values: readonly SQLInputValue[] = []): number {
    return this.#guard(() => Number(this.#prepare(sql).statement.run(...values).changes));
  }

  all(sql: string, values: readonly SQLInputValue[] = []): Row[] {
    return this.#guard(() => {
      const prepared = this.#prepare(sql);
      return prepared.statement.all(...values).map((row) => prepared.row(columnsOf(row)));
    });
  }

  get(sql: string, values: readonly SQLInputValue[] = []): Row | undefined {
    return this.#guard(() => {
      const prepared = this.#prepare(sql);
      const row = prepared.statement.get(...values);
      return row === undefined ? undefined : prepared.row(columnsOf(row));
    });
  }

  /** Calls `visit` with each row until it answers false. */
  each(sql: string, values: readonly SQLInputValue[], visit: (row: Row) => boolean): void {
    this.#guard(() => {
      const prepared = this.#prepare(sql);
      for (const row of prepared.statement.iterate(...values)) {
        if (!visit(prepared.row(columnsOf(row)))) return;
      }
    });
  }

  /** All of `work` or nothing; IMMEDIATE, so that it cannot fail half way for want of the write lock. */
  transaction<T>(work: () => T): T {
    return this.#within("BEGIN IMMEDIATE", work);
  }

  /** Everything `work` reads is as of one moment, whatever another process writes meanwhile. */
  snapshot<T>(work: () => T): T {
    return this.#within("BEGIN", work);
  }

  #within<T>(begin: "BEGIN" | "BEGIN IMMEDIATE", work: () => T): T {
    this.exec(begin);
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite has already rolled back where it ran out of room.
      if (this.#database.isOpen && this.#database.isTransaction) this.exec("ROLLBACK");
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#guard(() => this.#database.close());
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      if (!this.#database.isOpen) throw new LogUnavailable(`The log ${this.path} is closed`);
      prepared = new Prepared(this.#database.prepare(sql), this.path);
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translate(error, this.path);
    }
  }
}

/** The types know nothing of `setReturnArrays`. */
function columnsOf(row: unknown): Columns {
  return row as Columns;
}

/** A row whose columns are checked to be what the schema says. */
export class Row {
  readonly #columns: Columns;
  readonly #places: Places;
  readonly #path: string;

  constructor(columns: Columns, places: Places, path: string) {
    this.#columns = columns;
    this.#places = places;
    this.#path = path;
  }

  text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? value : this.#wrong(name);
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  textOrNull(name: string): string | null {
    const value = this.#value(name);
    return value === null || typeof value === "string" ? value : this.#wrong(name);
  }

  integer(name: string): number {
    const value = this.#value(name);
    return typeof value === "number" ? value : this.#wrong(name);
  }

  integerOrNull(name: string): number | null {
    const value = this.#value(name);
    return value === null || typeof value === "number" ? value : this.#wrong(name);
  }

  bytes(name: string): Buffer {
    const value = this.#value(name);
    return value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : this.#wrong(name);
  }

  #value(name: string): SQLOutputValue | undefined {
    return this.#columns[this.#places.get(name) ?? -1];
  }

  #wrong(name: string): never {
    throw damaged(this.#path, `column ${name} holds ${typeof this.#value(name)}`);
  }
}
