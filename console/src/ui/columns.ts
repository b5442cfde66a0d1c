import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** What it is sorted by, and what is exported; null stands last. */
  readonly value: (row: Row) => string | number | null;
  /** How it looks. Default: its value as text. */
  readonly show?: (row: Row) => ComponentChildren;
  /** A track of a CSS grid. */
  readonly width: string;
  readonly align?: "end";
  /** Its line on a phone. Absent: it does not stand there. */
  readonly narrow?: 1 | 2;
}

export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

/** By the column's values; what has none stands last, and equals stay as their keys are. */
export function comparing<Row>(
  column: Column<Row>,
  isDescending: boolean,
  keyOf: (row: Row) => string,
): (one: Row, other: Row) => number {
  const sign = isDescending ? -1 : 1;
  return (one, other) => {
    const a = column.value(one);
    const b = column.value(other);
    if (a !== b) {
      if (a === null) return 1;
      if (b === null) return -1;
      return (a < b ? -1 : 1) * sign;
    }
    return keyOf(one) < keyOf(other) ? -1 : 1;
  };
}

/** A sorting as the address has it: `name`, or `-name` from the last to the first; what it does not say is usual. */
export function sortIn<Row>(text: string, columns: readonly Column<Row>[], usual: Sort): Sort {
  const column = text.replace(/^-/, "");
  return columns.some(({ id }) => id === column) ? { column, isDescending: text.startsWith("-") } : usual;
}

/** The same as text; null where it is as usual. */
export function sortText({ column, isDescending }: Sort, usual: Sort): string | null {
  if (column === usual.column && isDescending === usual.isDescending) return null;
  return `${isDescending ? "-" : ""}${column}`;
}
