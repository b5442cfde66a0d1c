import { firstChangesIn } from "../first-changes.ts";
import type { FirstChange, FirstChanges } from "../log.ts";
import type { Connection } from "./connection.ts";
import { scanHistory } from "./history.ts";

/** So many events are looked at one by one in less time than all objects that the log knows of are asked. */
const FEW_EVENTS = 5000;
/** Keys that one statement asks: everybody waits for it. */
const STRETCH_KEYS = 200;

/**
 * From one key to the next, however many events each has, and whether it has one in the range: two searches in the
 * index for each.
 */
const KEYS = `
  WITH RECURSIVE keys (key) AS (
    SELECT MIN(key) FROM events INDEXED BY events_by_key WHERE key > ?1
    UNION ALL
    SELECT (SELECT MIN(key) FROM events INDEXED BY events_by_key WHERE key > keys.key)
      FROM keys WHERE keys.key IS NOT NULL LIMIT ${STRETCH_KEYS}
  )
  SELECT key, EXISTS (
      SELECT 1 FROM events INDEXED BY events_by_key WHERE key = keys.key AND sequence > ?2 AND sequence < ?3
    ) AS has_changed
    FROM keys WHERE key IS NOT NULL`;

/** Objects of several resources and namespaces may have one key. */
const FIRST_OF_KEY = `
  SELECT resource, namespace, MIN(sequence) AS sequence FROM events INDEXED BY events_by_key
    WHERE key = ? AND sequence > ? AND sequence < ? GROUP BY resource, namespace`;

/** @see FeedLog.firstChanges */
export async function* firstChanges(
  connection: Connection,
  query: FirstChanges,
): AsyncGenerator<FirstChange[]> {
  const { after, before, resource, namespace, key } = query;
  if (key !== undefined || before - after <= FEW_EVENTS) {
    yield* firstChangesIn((scan) => scanHistory(connection, scan, { after, before }), query);
    return;
  }
  const isWanted = (change: FirstChange) =>
    (resource ?? change.resource) === change.resource && (namespace ?? change.namespace) === change.namespace;
  let last = "";
  for (;;) {
    const rows = connection.all(KEYS, [last, after, before]);
    const changed = rows.filter((row) => row.integer("has_changed") === 1).map((row) => row.text("key"));
    yield changed.flatMap((name) => changesOf(connection, name, query)).filter(isWanted);
    const end = rows.at(-1);
    if (end === undefined || rows.length < STRETCH_KEYS) return;
    last = end.text("key");
  }
}

function changesOf(connection: Connection, key: string, { after, before }: FirstChanges): FirstChange[] {
  return connection.all(FIRST_OF_KEY, [key, after, before]).map((row) => ({
    key,
    resource: row.text("resource") as FirstChange["resource"],
    namespace: row.text("namespace"),
    sequence: row.integer("sequence"),
  }));
}
