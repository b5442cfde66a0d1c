import type { Column } from "../../ui/columns.ts";
import type { BaseRow } from "./kinds/kind.ts";

/** Gives the reader a file of the rows, in their order. */
export function downloadCsv(
  name: string,
  columns: readonly Column<BaseRow>[],
  rows: readonly BaseRow[],
): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(columns, rows)], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** RFC 4180. Times are RFC 3339, ids whole. */
function csvOf(columns: readonly Column<BaseRow>[], rows: readonly BaseRow[]): string {
  const all = columns.filter(({ id }) => id !== "id");
  const head = ["id", ...all.map(({ id }) => id)];
  const lines = rows.map((row) => [row.id, ...all.map((column) => cellOf(column.id, column.value(row)))]);
  return [head, ...lines].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

const TIMES = new Set(["submitted", "created", "modified"]);

function cellOf(column: string, value: string | number | null): string {
  if (value === null) return "";
  return typeof value === "number" && TIMES.has(column) ? new Date(value).toISOString() : String(value);
}

/** A text that a spreadsheet would take for a formula is told to be one. */
function quoted(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
