/**
 * Index of the first bundle that was not pruned, by asking for few of them: what was pruned is a beginning, so after the
 * first that is there all are. 0 where none is.
 */
export async function firstBundle(
  bundles: number,
  isThere: (index: number) => Promise<boolean>,
): Promise<number> {
  if (bundles === 0 || (await isThere(0))) return 0;
  let [missing, there] = [0, bundles];
  while (there - missing > 1) {
    const middle = Math.floor((missing + there) / 2);
    if (await isThere(middle)) there = middle;
    else missing = middle;
  }
  return there === bundles ? 0 : there;
}
