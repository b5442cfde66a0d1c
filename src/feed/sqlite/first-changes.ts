import { firstChangesIn } from "../first-changes.ts";
import type { FirstChange, FirstChanges } from "../log.ts";
import type { Connection, Row } from "./connection.ts";
import { scanHistory } from "./history.ts";

/** So many events are looked at one by one in less time than all objects that the log knows of are asked. */
const FEW_EVENTS = 20_000;
/** Events that one statement looks at: everybody waits for it. */
const STRETCH_EVENTS = 500;

/** Of all changes in the range, one after the other, who they are about. */
const CHANGES = `
  SELECT key, resource, namespace, sequence FROM events
    WHERE sequence > ? AND sequence < ? AND op IS NOT NULL ORDER BY sequence LIMIT ${STRETCH_EVENTS}`;

/** Keys that one statement asks: everybody waits for it. */
const STRETCH_KEYS = 100;

/**
 * From one key to the next, however many events each has, and the first in the range: two searches in the index for
 * each. Objects of several resources and namespaces may have one key; one without an event in the range has none.
 */
const FIRST_OF_KEYS = `
  WITH RECURSIVE keys (key) AS (
    SELECT MIN(key) FROM events INDEXED BY events_by_key WHERE key > ?1
    UNION ALL
    SELECT (SELECT MIN(key) FROM events INDEXED BY events_by_key WHERE key > keys.key)
      FROM keys WHERE keys.key IS NOT NULL LIMIT ${STRETCH_KEYS}
  )
  SELECT keys.key AS key, resource, namespace, MIN(sequence) AS sequence
    FROM keys LEFT JOIN events INDEXED BY events_by_key
      ON events.key = keys.key AND sequence > ?2 AND sequence < ?3
    WHERE keys.key IS NOT NULL GROUP BY keys.key, resource, namespace ORDER BY keys.key`;

/** @see FeedLog.firstChanges */
export async function* firstChanges(
  connection: Connection,
  query: FirstChanges,
): AsyncGenerator<FirstChange[]> {
  const { after, before, resource, namespace, key } = query;
  if (key !== undefined) {
    yield* firstChangesIn((scan) => scanHistory(connection, scan, { after, before }), query);
    return;
  }
  const all = before - after <= FEW_EVENTS ? oneByOne(connection, query) : byKey(connection, query);
  for (const changes of all) {
    yield changes.filter(
      (change) =>
        (resource ?? change.resource) === change.resource &&
        (namespace ?? change.namespace) === change.namespace,
    );
  }
}

function* oneByOne(connection: Connection, { after, before }: FirstChanges): Generator<FirstChange[]> {
  for (let last: number | undefined = after; last !== undefined;) {
    const changes: FirstChange[] = connection.all(CHANGES, [last, before]).map(changeOf);
    yield changes;
    last = changes.at(-1)?.sequence;
  }
}

function* byKey(connection: Connection, { after, before }: FirstChanges): Generator<FirstChange[]> {
  for (let last: string | undefined = ""; last !== undefined;) {
    const rows = connection.all(FIRST_OF_KEYS, [last, after, before]);
    yield rows.filter((row) => row.integerOrNull("sequence") !== null).map(changeOf);
    last = rows.at(-1)?.text("key");
  }
}

function changeOf(row: Row): FirstChange {
  return {
    key: row.text("key"),
    resource: row.text("resource") as FirstChange["resource"],
    namespace: row.text("namespace"),
    sequence: row.integer("sequence"),
  };
}
