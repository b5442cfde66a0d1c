/**
 * Whether one of the values is meant by patterns with `*` for anything. One that begins with `!` excludes; where there are
 * only such ones, all others match.
 */
export function matchesAny(values: readonly string[], patterns: readonly string[]): boolean {
  const { excluding = [], including = [] } = Object.groupBy(patterns, (pattern) =>
    pattern.startsWith("!") ? "excluding" : "including",
  );
  const isLike = (pattern: string): boolean => values.some((value) => matches(value, pattern));
  if (excluding.some((pattern) => isLike(pattern.slice(1)))) return false;
  return including.length === 0 || including.some(isLike);
}

function matches(value: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return value === pattern;
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length)
    return false;
  let place = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, place);
    if (found === -1) return false;
    place = found + part.length;
  }
  return place <= value.length - last.length;
}
