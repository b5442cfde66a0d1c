import type { Row } from "./row.ts";
import { SortedTexts } from "./sorted-texts.ts";
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
  readonly #perNamespace = new Map<string, Set<string>>();
  #ids: string[] | undefined;
  #sortedIds: SortedTexts | undefined;

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
      this.#ids?.push(id);
      this.#sortedIds?.add(id);
      this.#perNamespace.set(
        row.namespace,
        (this.#perNamespace.get(row.namespace) ?? new Set<string>()).add(id),
      );
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
    this.#ids = undefined;
    this.#sortedIds?.delete(id);
    const left = this.#perNamespace.get(row.namespace);
    if (left?.delete(id) === true && left.size === 0) this.#perNamespace.delete(row.namespace);
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
    return [...this.#each(this.#groups.get(name) ?? [])];
  }

  /** The row at a position among all, for random choice. */
  at(position: number): Row<T> | undefined {
    this.#ids ??= [...this.#rows.keys()];
    const id = this.#ids[position];
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** All rows in list order. */
  list(): Iterable<Row<T>> {
    return ORDER[this.name] === "age" ? this.values() : this.#each(this.#sorted().all());
  }

  /** The namespace's rows in list order. */
  inNamespace(namespace: string): Iterable<Row<T>> {
    if (ORDER[this.name] === "key") return this.startingWith(`${namespace}\0`);
    return this.#each(this.#perNamespace.get(namespace) ?? []);
  }

  /** Rows whose id, see rowId, begins with `prefix`, by id. */
  startingWith(prefix: string): Iterable<Row<T>> {
    return this.#each(this.#sorted().startingWith(prefix));
  }

  /** The ids that share the longest beginning with `id` are among them. */
  neighbours(id: string): readonly string[] {
    return this.#sorted().neighbours(id);
  }

  namespaces(): MapIterator<string> {
    return this.#perNamespace.keys();
  }

  clone(): Table<T> {
    return new Table(this.name, this.#groupsOf, this.#rows.values());
  }

  #sorted(): SortedTexts {
    this.#sortedIds ??= new SortedTexts(this.#rows.keys());
    return this.#sortedIds;
  }

  *#each(ids: Iterable<string>): Generator<Row<T>> {
    for (const id of ids) yield this.#rows.get(id) as Row<T>;
  }

  #leave(groups: readonly string[], id: string): void {
    for (const group of groups) {
      const members = this.#groups.get(group);
      members?.delete(id);
      if (members?.size === 0) this.#groups.delete(group);
    }
  }
}
