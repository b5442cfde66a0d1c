import type { Scope } from "../../schemas/scope.ts";
import type { ResourceType } from "../../schemas/resources.ts";
import type { StateEntry, StateFilter, StatePart } from "../log.ts";
import type { Connection } from "./connection.ts";
import { STATE_COLUMNS, stateOf } from "./rows.ts";

/** What one statement reads: it is synchronous, and everybody waits for it. */
interface BatchLimits {
  readonly objects: number;
  /** Of stubs; one object is read however large it is. */
  readonly bytes: number;
}

const LOAD_LIMITS: BatchLimits = { objects: 500, bytes: 512 * 1024 };
/** A consistent read goes as fast as its subscriber takes it, who may be slow, and there may be many. */
export const BATCH_LIMITS: BatchLimits = { objects: 100, bytes: 16 * 1024 };

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
  limits = LOAD_LIMITS,
): AsyncGenerator<StateEntry[]> {
  for (const part of partsOf(connection, filter)) {
    // So that a consumer can make a pause among parts that are left out.
    if (filter.includes?.(part) === false) yield [];
    else yield* partBatches(connection, part, filter.key, limits);
  }
}

/** The parts that a table has rows of: two seeks in the index of each table for each part, whatever is in it. */
export function* partsOf(
  connection: Connection,
  { resource, namespace }: StateFilter,
  tables: readonly ("state" | "kept" | "events")[] = ["state"],
): Generator<StatePart, void, void> {
  if (resource !== undefined && namespace !== undefined) {
    yield { resource, namespace };
    return;
  }
  // SQLite would go through all rows of a part to find one beyond `(resource, namespace) > (?1, ?2)`.
  const beyond = ["resource = ?1 AND namespace > ?2", ...(resource === undefined ? ["resource > ?1"] : [])];
  const next = tables.flatMap((table) =>
    beyond.map(
      (where) => `SELECT * FROM (SELECT resource, namespace FROM ${table}
        WHERE ${where} ORDER BY resource, namespace LIMIT 1)`,
    ),
  );
  const sql = `${next.join(" UNION ALL ")} ORDER BY resource, namespace LIMIT 1`;
  let position = [resource ?? "", ""];
  while (true) {
    const row = connection.get(sql, position);
    if (row === undefined) return;
    const part = { resource: row.text("resource") as ResourceType, namespace: row.text("namespace") };
    if (namespace === undefined || part.namespace === namespace) yield part;
    position = [part.resource, part.namespace];
  }
}

async function* partBatches(
  connection: Connection,
  { resource, namespace }: StatePart,
  key: string | undefined,
  { objects, bytes }: BatchLimits,
): AsyncGenerator<StateEntry[]> {
  const where = `resource = ? AND namespace = ? AND key ${key === undefined ? ">" : "="} ?`;
  const sql = `SELECT ${STATE_COLUMNS} FROM state WHERE ${where} ORDER BY key LIMIT ${objects}`;
  let position = key ?? "";
  while (true) {
    const batch: StateEntry[] = [];
    let batchBytes = 0;
    connection.each(sql, [resource, namespace, position], (row) => {
      const entry = stateOf(row);
      batch.push(entry);
      batchBytes += entry.stub.length;
      return batchBytes < bytes;
    });
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    if (key !== undefined) return;
    position = last.ref.key;
  }
}

/** Resource and namespace of all objects: one seek for each pair, however many objects there are. */
export function filledScopes(connection: Connection): Scope[] {
  return [...partsOf(connection, {})];
}
