interface SortOptions<Item, Sorted> {
  /** How many items one step takes. */
  readonly stepItems: number;
  /** What of an item is sorted. */
  readonly of: (item: Item) => Sorted;
  readonly compare: (a: Sorted, b: Sorted) => number;
}

/** Sorts in steps that take as long for many items as for few, so that others have their turn between any two. */
export function* sortInSteps<Item, Sorted>(
  items: readonly Item[],
  options: SortOptions<Item, Sorted>,
): Generator<void, Sorted[]> {
  const { stepItems, of, compare } = options;
  let runs: Sorted[][] = [];
  for (let first = 0; first < items.length; first += stepItems) {
    const some = items.slice(first, first + stepItems);
    runs.push(some.map((item) => of(item)).toSorted(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Sorted[][] = [];
    for (let n = 0; n < runs.length; n += 2) {
      merged.push(yield* merge(runs[n] ?? [], runs[n + 1] ?? [], options));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<Sorted>(
  left: readonly Sorted[],
  right: readonly Sorted[],
  { compare, stepItems }: Pick<SortOptions<never, Sorted>, "compare" | "stepItems">,
): Generator<void, Sorted[]> {
  const merged: Sorted[] = [];
  let [l, r] = [0, 0];
  for (let a = left[0], b = right[0]; a !== undefined && b !== undefined; a = left[l], b = right[r]) {
    const isLeft = compare(a, b) <= 0;
    merged.push(isLeft ? a : b);
    if (isLeft) l += 1;
    else r += 1;
    if (merged.length % stepItems === 0) yield;
  }
  return merged.concat(left.slice(l), right.slice(r));
}
