import { plainText } from "../../schemas/terminal-text.ts";
import type { Colours } from "./colours.ts";
import { fitLine, type Cell } from "./fit-line.ts";
import { wrapText } from "./wrap-text.ts";

/** What is written on; `columns` undefined: a pipe, in which every line is whole. */
export interface Page {
  readonly colours: Colours;
  readonly columns: number | undefined;
}

export type Paint = (text: string) => string;

export const PLAIN: Paint = (text) => text;
export const INDENT = "  ";

export interface TableRow {
  readonly cells: readonly string[];
  readonly paint: Paint;
  /** On a line of its own; null: none. */
  readonly below: string | null;
}

/** On a narrow terminal the last columns go first. */
export function tableText(head: readonly string[], rows: readonly TableRow[], page: Page): string {
  const { colours, columns } = page;
  const texts = rows.map(({ cells }) => cells.map(plainText));
  const widths = head.map((title, n) =>
    Math.max(title.length, ...texts.map((cells) => cells[n]?.length ?? 0)),
  );
  const line = (cells: readonly string[], paint: Paint): string => {
    const parts = cells.map((cell, n): Cell => ({
      text: cell.padEnd(widths[n] ?? 0),
      paint: PLAIN,
      rank: n,
    }));
    return paint(fitLine(parts, columns).trimEnd());
  };
  const lines = rows.flatMap(({ paint, below }, n) => [
    line(texts[n] ?? [], paint),
    ...(below === null ? [] : [colours.dim(indented(below, page))]),
  ]);
  return [line(head, colours.bold), ...lines].map((text) => `${text}\n`).join("");
}

export function indented(text: string, { columns }: Page): string {
  return `${INDENT}${wrapText(plainText(text), { columns, indent: INDENT.length })}`;
}
