import type { Op } from "../../schemas/draft.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { ChangeCount, ChangeCounts, StatePart } from "../log.ts";
import type { Connection } from "./connection.ts";
import type { Range } from "./history.ts";
import { partsOf } from "./state.ts";

/** Rows of the index that one statement counts: everybody waits for it. */
const STRETCH_ROWS = 4000;

/** By an index that holds all it asks for: no event is read. */
const COUNT = `
  SELECT op, severity, COUNT(*) AS count, MIN(sequence) AS first FROM (
    SELECT op, severity, sequence FROM events INDEXED BY events_by_scope
      WHERE resource = ? AND namespace = ? AND sequence > ? AND sequence < ? ORDER BY sequence DESC LIMIT ${STRETCH_ROWS}
  ) GROUP BY op, severity`;

/** @see FeedLog.countChanges */
export async function* countChanges(
  connection: Connection,
  { after, before, includes }: ChangeCounts,
): AsyncGenerator<ChangeCount[]> {
  for (const part of partsOf(connection, {}, ["events"])) {
    if (includes(part)) yield* countPart(connection, part, { after, before });
    else yield [];
  }
}

function* countPart(
  connection: Connection,
  { resource, namespace }: StatePart,
  { after, before }: Range,
): Generator<ChangeCount[]> {
  for (let rest = STRETCH_ROWS; rest === STRETCH_ROWS;) {
    const rows = connection.all(COUNT, [resource, namespace, after, before]);
    rest = 0;
    for (const row of rows) {
      rest += row.integer("count");
      before = Math.min(before, row.integer("first"));
    }
    yield rows.flatMap((row) => {
      const op = row.textOrNull("op") as Op | null;
      const severity = row.text("severity") as Severity;
      return op === null ? [] : [{ resource, namespace, op, severity, count: row.integer("count") }];
    });
  }
}
