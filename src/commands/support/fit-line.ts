/** A part of a line for people: text that is safe for a terminal, and how to colour it. */
export interface Cell {
  readonly text: string;
  readonly paint: (text: string) => string;
  /** What a narrow terminal shows first; 0 is always shown. */
  readonly rank: number;
}

const BETWEEN = 2;
/** A cell that is cut keeps at least so many columns; shorter, it says nothing. */
const LEAST_COLUMNS = 8;

/**
 * The cells as one line of at most `columns`: as many of them as there is room for, best rank first, in their own
 * order. Without `columns` all of them, whole.
 */
export function fitLine(given: readonly Cell[], columns?: number): string {
  const cells = given.filter(({ text }) => text !== "");
  if (columns === undefined) return cells.map(({ text, paint }) => paint(text)).join("  ");
  let left = columns + BETWEEN;
  const shown = new Map<Cell, string>();
  for (const cell of cells.toSorted((one, other) => one.rank - other.rank)) {
    const text = cutText(cell.text, left - BETWEEN, cell.rank === 0 ? 1 : LEAST_COLUMNS);
    if (text === "") continue;
    shown.set(cell, text);
    left -= widthOf(text) + BETWEEN;
  }
  return cells.flatMap((cell) => (shown.has(cell) ? cell.paint(shown.get(cell) ?? "") : [])).join("  ");
}

function cutText(text: string, columns: number, leastColumns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < leastColumns) return "";
  let cut = "";
  let width = 1;
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Characters that take two columns: those of East Asia, and emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303F\uFF01-\uFF60]/v;

/** Columns that a terminal needs for a text. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
