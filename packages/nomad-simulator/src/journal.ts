import { RESOURCE_TYPES, type ResourceType } from "../../../src/schemas/resources.ts";
import type { Row } from "./store/row.ts";
import type { Commit, Op } from "./store/state.ts";
import type { TableName } from "./store/tables.ts";

/** One true change of one object's stub. `before` and `after` are canonical stub text. */
export class JournalEntry {
  /** Raft index of the write. */
  readonly index: number;
  readonly resource: ResourceType;
  /** "-" for cluster-wide resources. */
  readonly namespace: string;
  readonly key: string;
  readonly op: "create" | "update" | "delete";
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly at: number;
  readonly #before: Row | undefined;
  readonly #after: Row | undefined;

  constructor(index: number, at: number, before: Row | undefined, after: Row | undefined) {
    const row = (after ?? before) as Row;
    this.index = index;
    this.at = at;
    this.resource = row.table as ResourceType;
    this.namespace = row.namespace;
    this.key = row.key;
    this.op = before === undefined ? "create" : after === undefined ? "delete" : "update";
    this.#before = before;
    this.#after = after;
  }

  get before(): string | undefined {
    return this.#before?.text;
  }

  get after(): string | undefined {
    return this.#after?.text;
  }
}

/**
 * Every true change in order: the oracle to hold a client's findings against. Rewrites that leave a stub as
 * it was are not in it. Keeps the newest `limit` entries.
 */
export class Journal {
  readonly #limit: number;
  #entries: JournalEntry[] = [];
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Entries forgotten because of the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  record(commit: Commit, at: number): void {
    for (const op of commit.ops) this.add(op, commit.index, at);
  }

  add(op: Pick<Op, "table" | "before" | "after">, index: number, at: number): void {
    if (!isJournalled(op.table) || !differs(op.before, op.after)) return;
    this.#entries.push(new JournalEntry(index, at, op.before, op.after));
    if (this.#entries.length < this.#limit * 1.25 + 16) return;
    const excess = this.#entries.length - this.#limit;
    this.#entries = this.#entries.slice(excess);
    this.#dropped += excess;
  }
}

function isJournalled(table: TableName): boolean {
  return (RESOURCE_TYPES as readonly TableName[]).includes(table);
}

function differs(before: Row | undefined, after: Row | undefined): boolean {
  if (before === after) return false;
  return before === undefined || after === undefined || before.text !== after.text;
}
