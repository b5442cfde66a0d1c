import type { Op } from "../../schemas/draft.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { Scope } from "../../schemas/scope.ts";
import type { ChangeCount, ChangeCounts, CountedChanges } from "../log.ts";
import type { Connection } from "./connection.ts";
import { partsOf } from "./state.ts";

/** Rows of the index that one statement counts: everybody waits for it. */
const STRETCH_ROWS = 4000;

/** The newest rows of a stretch of an index that holds all that is asked for. */
const counted = (index: string, where: string) => `
  SELECT op, severity, COUNT(*) AS count, MIN(sequence) AS first FROM (
    SELECT op, severity, sequence FROM events INDEXED BY ${index}
      WHERE ${where} AND sequence > ? AND sequence < ? ORDER BY sequence DESC LIMIT ${STRETCH_ROWS}
  ) GROUP BY op, severity`;
const OF_RESOURCE = counted("events_by_resource", "resource = ?");
const OF_PART = counted("events_by_scope", "resource = ? AND namespace = ?");

/** @see FeedLog.changeCounts */
export class SqliteChangeCounts implements ChangeCounts {
  readonly #reading: () => Connection;

  constructor(reading: () => Connection) {
    this.#reading = reading;
  }

  async *scopes(): AsyncGenerator<Scope> {
    for (const part of partsOf(this.#reading(), {}, ["events"])) {
      // Only control events speak of all namespaces.
      if (part.namespace !== "*") yield part;
    }
  }

  async *count({ resource, namespace, after, before }: CountedChanges): AsyncGenerator<ChangeCount[]> {
    const [sql, wanted] = namespace === "*" ? [OF_RESOURCE, [resource]] : [OF_PART, [resource, namespace]];
    for (let rest = STRETCH_ROWS; rest === STRETCH_ROWS;) {
      const rows = this.#reading().all(sql, [...wanted, after, before]);
      rest = 0;
      for (const row of rows) {
        rest += row.integer("count");
        before = Math.min(before, row.integer("first"));
      }
      yield rows.flatMap((row) => {
        const op = row.textOrNull("op") as Op | null;
        const severity = row.text("severity") as Severity;
        return op === null ? [] : [{ op, severity, count: row.integer("count") }];
      });
    }
  }
}
