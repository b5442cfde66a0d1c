import { goTime, NS_PER_MS } from "../go-time.ts";
import type { Random } from "../random.ts";
import type { MessageType } from "../store/message-type.ts";
import { Row } from "../store/row.ts";
import type { Commit, Op, State } from "../store/state.ts";
import { rowId, type IndexName, type Models, type Stubs, type TableName } from "../store/tables.ts";

export interface PutOptions {
  /** False: the write moves no index entry, as tagging a job version does. */
  readonly move?: boolean;
  /** Defaults to the table's own tree and index. */
  readonly through?: readonly IndexName[];
}

/** One raft entry in the making. Reads see what it has written so far. */
export class Transaction {
  /** Raft index every row written gets. */
  readonly index: number;
  readonly #state: State;
  readonly #random: Random;
  readonly #nowMs: number;
  readonly #ops = new Map<string, Op>();
  readonly #moves = new Set<IndexName>();

  constructor(state: State, index: number, nowMs: number, random: Random) {
    this.#state = state;
    this.index = index;
    this.#nowMs = nowMs;
    this.#random = random;
  }

  /** Now, with digits below the millisecond, `agoMs` earlier. */
  nowNs(agoMs = 0): bigint {
    return BigInt(this.#nowMs - agoMs) * NS_PER_MS + BigInt(this.#random.between(0, 999_999));
  }

  nowText(agoMs = 0): string {
    return goTime(this.nowNs(agoMs));
  }

  uuid(): string {
    return this.#random.uuid();
  }

  get random(): Random {
    return this.#random;
  }

  get<T extends TableName>(table: T, namespace: string, key: string): Row<T> | undefined {
    const op = this.#ops.get(opKey(table, namespace, key)) as Op<T> | undefined;
    return op === undefined ? this.#state.table(table).get(namespace, key) : op.after;
  }

  /** Rows of a secondary index entry, with this transaction's own writes to the rows already there. */
  group<T extends TableName>(table: T, name: string): Row<T>[] {
    return this.#state
      .table(table)
      .group(name)
      .map((row) => this.get(table, row.namespace, row.key))
      .filter((row) => row !== undefined);
  }

  put<T extends TableName>(
    table: T,
    namespace: string,
    key: string,
    stub: Stubs[T],
    model: Models[T],
    options: PutOptions = {},
  ): Row<T> {
    const after = new Row(table, namespace, key, stub, model);
    this.#write(table, namespace, key, after, options);
    return after;
  }

  /** Writes a row again as it is: who watches it wakes, and the index moves, for nothing a client could see. */
  rewrite<T extends TableName>(row: Row<T>): void {
    this.#write(row.table, row.namespace, row.key, row, {});
  }

  delete<T extends TableName>(row: Row<T>, options: PutOptions = {}): void {
    this.#write(row.table, row.namespace, row.key, undefined, options);
  }

  /** Moves an index entry without any row. */
  move(name: IndexName): void {
    this.#moves.add(name);
  }

  commit(type: MessageType): Commit {
    const ops = [...this.#ops.values()].filter((op) => op.before !== undefined || op.after !== undefined);
    return { index: this.index, type, ops, moves: [...this.#moves] };
  }

  #write<T extends TableName>(
    table: T,
    namespace: string,
    key: string,
    after: Row<T> | undefined,
    options: PutOptions,
  ): void {
    const id = opKey(table, namespace, key);
    const earlier = this.#ops.get(id);
    const through = options.through ?? [table];
    const trees = union(earlier?.trees, through);
    const moves = union(earlier?.moves, options.move === false ? [] : through);
    const before = earlier === undefined ? this.#state.table(table).get(namespace, key) : earlier.before;
    this.#ops.set(id, { table, before, after, trees, moves });
  }
}

function union(earlier: readonly IndexName[] | undefined, more: readonly IndexName[]): readonly IndexName[] {
  if (earlier === undefined || more.every((name) => earlier.includes(name))) return earlier ?? more;
  return [...new Set([...earlier, ...more])];
}

const opKey = (table: TableName, namespace: string, key: string): string =>
  `${table}/${rowId(table, namespace, key)}`;
