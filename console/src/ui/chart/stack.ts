/** What every part has at least, percent: one of a thousand is seen, too. */
const LEAST = 2.5;
/** Percent of the height that the highest bar takes. */
const HIGHEST = 96;

/**
 * The tops of stacked bars, percent of the height. `bars` has the numbers of each bar, from the lowest part upwards. The
 * answer has one row for each part, from the highest part down: whoever draws them in this order has all parts seen.
 */
export function stacked(bars: readonly (readonly number[])[], parts: number): (number | null)[][] {
  const most = Math.max(1, ...bars.map((numbers) => numbers.reduce((sum, number) => sum + number, 0)));
  const tops = Array.from({ length: parts }, () => bars.map((): number | null => null));
  for (const [at, numbers] of bars.entries()) {
    let top = 0;
    for (const [part, number] of numbers.entries()) {
      if (number === 0) continue;
      top = Math.min(100, top + Math.max(LEAST, (number / most) * HIGHEST));
      const row = tops[parts - 1 - part];
      if (row !== undefined) row[at] = top;
    }
  }
  return tops;
}
