/** Is told of work before it is done; may throw to end it. */
export interface Budget {
  spend(steps: number): void;
}

/** Comparing so many characters takes about as long as a step. */
const COMPARISONS_PER_STEP = 64;
/**
 * JavaScript's search begins anew at each character that may be the first; that takes as long as so many comparisons.
 */
const COMPARISONS_PER_BEGINNING = 8;

/** Pays for holding two texts of which the shorter has so many characters against each other. */
export function spendOnComparing(characters: number, budget: Budget): void {
  budget.spend(characters / COMPARISONS_PER_STEP);
}

/**
 * `text.includes(part)`, paid for. JavaScript's search is fast with nearly all texts, but not with those that were
 * made against it, where it compares each character of the one with each of the other.
 */
export function includesWithin(text: string, part: string, budget: Budget): boolean {
  if (part.length > text.length) return false;
  spendOnComparing(text.length * Math.max(part.length, COMPARISONS_PER_BEGINNING), budget);
  return text.includes(part);
}

/** The names of an object's members, paid for: JavaScript makes a list of them all, however few are looked at. */
export function namesWithin(object: object, budget: Budget): string[] {
  const names = Object.keys(object);
  budget.spend(names.length);
  return names;
}
