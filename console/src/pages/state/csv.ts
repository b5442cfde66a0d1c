import { download } from "../../ui/download.ts";
import { csvLine } from "../../words/csv.ts";
import type { Column } from "../../ui/columns.ts";
import type { BaseRow } from "./kinds/kind.ts";

/** Gives the reader a file of the rows, in their order. */
export function downloadCsv<Row extends BaseRow>(
  name: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  download(`${name}.csv`, [csvOf(columns, rows)], "text/csv");
}

/** RFC 4180. Times are RFC 3339, ids whole. */
function csvOf<Row extends BaseRow>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const all = columns.filter(({ id }) => id !== "id");
  const head = ["id", ...all.map(({ id }) => id)];
  const lines = rows.map((row) => [row.id, ...all.map((column) => cellOf(column.id, column.value(row)))]);
  return [head, ...lines].map(csvLine).join("");
}

const TIMES = new Set(["submitted", "created", "modified"]);

function cellOf(column: string, value: string | number | null): string {
  if (value === null) return "";
  return typeof value === "number" && TIMES.has(column) ? new Date(value).toISOString() : String(value);
}
