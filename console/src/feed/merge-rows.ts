import type { RowChanges } from "./live-objects.ts";

/** Rows in order once some have gone and others come: one walk over all, and a sort of those that come. */
export function mergeRows<Row>(
  sorted: readonly Row[],
  changes: RowChanges<Row>,
  compare: (one: Row, other: Row) => number,
): readonly Row[] {
  const { gone } = changes;
  const come = changes.come.toSorted(compare);
  const all: Row[] = [];
  let at = 0;
  for (const row of sorted) {
    if (gone.has(row)) continue;
    for (let next = come[at]; next !== undefined && compare(next, row) < 0; next = come[++at]) all.push(next);
    all.push(row);
  }
  for (; at < come.length; at++) all.push(come[at] as Row);
  return all;
}
