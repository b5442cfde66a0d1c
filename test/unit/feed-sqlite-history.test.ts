import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import type { HistoryQuery, HistoryScan } from "../../src/feed/log.ts";
import { planHistory } from "../../src/feed/sqlite/history.ts";
import { SCHEMA } from "../../src/feed/sqlite/schema.ts";

const database = new DatabaseSync(":memory:");
database.exec(SCHEMA);
afterAll(() => database.close());

const CONDITIONS: readonly Partial<HistoryQuery>[] = [
  { key: "k" },
  { job: "j" },
  { node: "n" },
  { namespace: "default" },
  { op: "update" },
  { resource: "allocations" },
  { signal: "allocation.failed" },
];
const SEVERITIES = [{}, { minSeverity: "INFO" }, { minSeverity: "WARN" }, { minSeverity: "FATAL" }] as const;

/** Every set of conditions there is. */
function combinations(): Partial<HistoryScan>[] {
  const chosen = Array.from({ length: 2 ** CONDITIONS.length }, (_, bits) =>
    CONDITIONS.filter((_condition, position) => (bits >> position) & 1),
  );
  const controls = [{}, { control: "none" }, { op: null }] as const;
  return chosen.flatMap((conditions) =>
    SEVERITIES.flatMap((severity) =>
      controls.map((control): Partial<HistoryScan> => Object.assign({}, severity, control, ...conditions)),
    ),
  );
}

function planOf(query: Partial<HistoryScan>): string[] {
  const { sql, values } = planHistory({ order: "newest-first", ...query }, { after: 5, before: 99 });
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...values)
    .map((row) => String(row["detail"]));
}

describe("history in SQLite", () => {
  test.each(["oldest-first", "newest-first"] as const)(
    "never reads the whole log nor sorts, whatever is asked, %s",
    (order) => {
      const plans = combinations().map((query) => ({ query, plan: planOf({ ...query, order }) }));
      const bad = plans.filter(
        ({ plan }) =>
          !/^SEARCH .*USING/.test(plan[0] ?? "") || plan.some((line) => /^SCAN|TEMP B-TREE/.test(line)),
      );
      expect(bad).toEqual([]);
    },
  );

  test.each([
    [
      { key: "k", resource: "allocations", namespace: "default" },
      "events_by_key (key=? AND sequence>? AND sequence<?)",
    ],
    [{ job: "j", namespace: "default", op: "delete" }, "events_by_job (job=? AND sequence>? AND sequence<?)"],
    [{ node: "n" }, "events_by_node (node=? AND sequence>? AND sequence<?)"],
    [{ namespace: "default" }, "events_by_namespace (namespace=? AND sequence>? AND sequence<?)"],
    [{ resource: "jobs" }, "events_by_resource (resource=? AND sequence>? AND sequence<?)"],
    [
      { resource: "jobs", namespace: "default" },
      "events_by_scope (resource=? AND namespace=? AND sequence>? AND sequence<?)",
    ],
    [{ namespace: "default", op: "delete" }, "events_by_op (op=? AND sequence>? AND sequence<?)"],
    [
      { namespace: "default", op: "update" },
      "events_by_namespace (namespace=? AND sequence>? AND sequence<?)",
    ],
    [{ op: "update" }, "events_by_op (op=? AND sequence>? AND sequence<?)"],
    [{ minSeverity: "ERROR" }, "events_by_severity (sequence>? AND sequence<?)"],
    [{ signal: "node.down" }, "PRIMARY KEY (signal=? AND sequence>? AND sequence<?)"],
    [{}, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"],
  ] as const)("walks, for %j, %s", (query, walk) => {
    expect(planOf(query)[0]).toContain(walk);
  });
});
