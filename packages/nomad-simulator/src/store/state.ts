import type { MessageType } from "./message-type.ts";
import { PLAIN_TABLES, type PlainTable } from "./plain-tables.ts";
import type { Row } from "./row.ts";
import { Table } from "./table.ts";
import type { IndexName, TableName } from "./tables.ts";

/** What one raft entry did to one row, and which indexes it moved. */
export interface Op<T extends TableName = TableName> {
  readonly table: T;
  /** Undefined for a new row. */
  readonly before: Row<T> | undefined;
  /** Undefined for a removed row; the same as `before` where the row was only written again. */
  readonly after: Row<T> | undefined;
  /** Radix trees the write went through: wakes who watches them. */
  readonly trees: readonly IndexName[];
  /** Index entries it set. Some writes of Nomad move none, some move one without a visible change. */
  readonly moves: readonly IndexName[];
}

/** One raft entry applied to the state. */
export interface Commit {
  readonly index: number;
  readonly type: MessageType;
  readonly ops: readonly Op[];
  /** Index entries moved without any row. */
  readonly moves: readonly IndexName[];
}

export const jobGroup = (namespace: string, job: string): string => `job:${namespace}/${job}`;
export const nodeGroup = (node: string): string => `node:${node}`;
export const secretGroup = (secret: string): string => `secret:${secret}`;

export type Tables = { readonly [T in TableName]: Table<T> };

function createTables(): Tables {
  return {
    jobs: new Table("jobs", () => []),
    nodes: new Table("nodes", () => []),
    allocations: new Table("allocations", ({ stub }) => [
      jobGroup(stub.Namespace, stub.JobID),
      nodeGroup(stub.NodeID),
    ]),
    deployments: new Table("deployments", ({ stub }) => [jobGroup(stub.Namespace, stub.JobID)]),
    evaluations: new Table("evaluations", ({ stub }) => [jobGroup(stub.Namespace, stub.JobID)]),
    namespaces: new Table("namespaces", () => []),
    policies: new Table("policies", () => []),
    tokens: new Table("tokens", ({ stub }) => [secretGroup(stub.SecretID)]),
    ...plainTables((table) => new Table(table, () => [])),
  };
}

function cloneTables(tables: Tables): Tables {
  return {
    jobs: tables.jobs.clone(),
    nodes: tables.nodes.clone(),
    allocations: tables.allocations.clone(),
    deployments: tables.deployments.clone(),
    evaluations: tables.evaluations.clone(),
    namespaces: tables.namespaces.clone(),
    policies: tables.policies.clone(),
    tokens: tables.tokens.clone(),
    ...plainTables((table) => tables[table].clone()),
  };
}

function plainTables(of: (table: PlainTable) => unknown): Pick<Tables, PlainTable> {
  return Object.fromEntries(PLAIN_TABLES.map((table) => [table, of(table)])) as Pick<Tables, PlainTable>;
}

/** Nomad's state store as one server has it: tables, and the raft index that last wrote each. */
export class State {
  readonly tables: Tables;
  readonly #indexes: Map<IndexName, number>;
  #index: number;

  private constructor(tables: Tables, indexes: Map<IndexName, number>, index: number) {
    this.tables = tables;
    this.#indexes = indexes;
    this.#index = index;
  }

  static empty(): State {
    return new State(createTables(), new Map(), 0);
  }

  table<T extends TableName>(name: T): Table<T> {
    return this.tables[name];
  }

  /** Raft index of the newest applied entry. */
  get index(): number {
    return this.#index;
  }

  /** Raft index that last wrote the table, 0 where none did. */
  indexOf(name: IndexName): number {
    return this.#indexes.get(name) ?? 0;
  }

  apply(commit: Commit): void {
    this.#index = commit.index;
    const fresh = commit.ops.filter((op) => op.before === undefined && op.after !== undefined);
    const known = commit.ops.filter((op) => op.before !== undefined);
    const byKey = (a: Op, b: Op): number => ((a.after?.key ?? "") < (b.after?.key ?? "") ? -1 : 1);
    for (const op of [...known, ...fresh.toSorted(byKey)]) this.#applyOp(op);
    for (const op of commit.ops) for (const name of op.moves) this.#indexes.set(name, commit.index);
    for (const name of commit.moves) this.#indexes.set(name, commit.index);
  }

  /** An independent copy sharing the rows, which never change. */
  clone(): State {
    return new State(cloneTables(this.tables), new Map(this.#indexes), this.#index);
  }

  #applyOp<T extends TableName>(op: Op<T>): void {
    const table = this.table(op.table);
    if (op.after !== undefined) table.put(op.after);
    else if (op.before !== undefined) table.delete(op.before);
  }
}
