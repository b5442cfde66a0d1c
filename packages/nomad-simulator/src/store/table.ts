import type { Row } from "./row.ts";
import { ORDER, rowId, type TableName } from "./tables.ts";

/**
 * The rows of one table. Insertion order is age order: a commit adds its new rows sorted by key, and a write
 * to an existing row keeps its place.
 */
export class Table<T extends TableName> {
  readonly name: T;
  readonly #rows = new Map<string, Row<T>>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #groupsOf: (row: Row<T>) => readonly string[];
  readonly #perNamespace = new Map<string, number>();
  #ids: string[] | undefined;
  #sortedIds: string[] | undefined;

  constructor(name: T, groupsOf: (row: Row<T>) => readonly string[], rows?: Iterable<Row<T>>) {
    this.name = name;
    this.#groupsOf = groupsOf;
    for (const row of rows ?? []) this.put(row);
  }

  /** `namespace` is "-" for cluster-wide tables; where keys are UUIDs it does not matter. */
  get(namespace: string, key: string): Row<T> | undefined {
    return this.#rows.get(rowId(this.name, namespace, key));
  }

  put(row: Row<T>): void {
    const id = rowId(this.name, row.namespace, row.key);
    const before = this.#rows.get(id);
    this.#rows.set(id, row);
    const groups = this.#groupsOf(row);
    if (before === undefined) {
      this.#forgetOrder();
      this.#count(row.namespace, 1);
    } else {
      const old = this.#groupsOf(before);
      if (old.every((group, position) => group === groups[position])) return;
      this.#leave(old, id);
    }
    for (const group of groups) {
      this.#groups.set(group, (this.#groups.get(group) ?? new Set<string>()).add(id));
    }
  }

  delete(row: Row<T>): void {
    const id = rowId(this.name, row.namespace, row.key);
    const before = this.#rows.get(id);
    if (before === undefined) return;
    this.#leave(this.#groupsOf(before), id);
    this.#rows.delete(id);
    this.#forgetOrder();
    this.#count(row.namespace, -1);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** All rows, oldest first. */
  values(): MapIterator<Row<T>> {
    return this.#rows.values();
  }

  /** Rows of a secondary index entry, such as `job:default/web`, oldest first. */
  group(name: string): Row<T>[] {
    return [...(this.#groups.get(name) ?? [])].map((id) => this.#rows.get(id) as Row<T>);
  }

  /** The row at a position among all, for random choice. */
  at(position: number): Row<T> | undefined {
    this.#ids ??= [...this.#rows.keys()];
    const id = this.#ids[position];
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** All rows in list order. */
  list(): Iterable<Row<T>> {
    return ORDER[this.name] === "age" ? this.values() : this.byKey();
  }

  byKey(): Row<T>[] {
    this.#sortedIds ??= [...this.#rows.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    return this.#sortedIds.map((id) => this.#rows.get(id) as Row<T>);
  }

  namespaces(): MapIterator<string> {
    return this.#perNamespace.keys();
  }

  clone(): Table<T> {
    return new Table(this.name, this.#groupsOf, this.#rows.values());
  }

  #forgetOrder(): void {
    this.#ids = undefined;
    this.#sortedIds = undefined;
  }

  #leave(groups: readonly string[], id: string): void {
    for (const group of groups) {
      const members = this.#groups.get(group);
      members?.delete(id);
      if (members?.size === 0) this.#groups.delete(group);
    }
  }

  #count(namespace: string, by: number): void {
    const count = (this.#perNamespace.get(namespace) ?? 0) + by;
    if (count === 0) this.#perNamespace.delete(namespace);
    else this.#perNamespace.set(namespace, count);
  }
}
