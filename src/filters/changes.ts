import { equalJson, isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import { namesWithin, spendOnComparing, type Budget } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import { memberOf, type Predicate } from "./values.ts";
import { unescapedName } from "../shared/json-pointer.ts";

/** Looking a member up in two objects, and listing it with the others, takes about as long as so many steps. */
const STEPS_OF_A_MEMBER = 4;

/**
 * Whether something changed at this place of the object: exactly there, below it, or above it, where a whole part
 * of the object appeared, vanished or was replaced, and differs here.
 */
export function changesAt(pointer: string): Predicate {
  const below = `${pointer}/`;
  return (changes, evaluation) => {
    if (!Array.isArray(changes)) return false;
    evaluation.spend(changes.length);
    return changes.some((change) => {
      if (!isJsonObject(change)) return false;
      const { path } = change;
      if (typeof path !== "string") return false;
      spendOnComparing(Math.min(path.length, below.length), evaluation);
      if (path === pointer || path.startsWith(below)) return true;
      if (!below.startsWith(`${path}/`)) return false;
      evaluation.assertExact();
      return differAt(change, pointer.slice(path.length + 1), evaluation);
    });
  };
}

function differAt({ from, to }: JsonObject, pointer: string, evaluation: Evaluation): boolean {
  evaluation.spend(pointer.length);
  const parts = pointer.split("/");
  const [before, after] = [valueAt(from, parts), valueAt(to, parts)];
  if (before === undefined || after === undefined) return before !== after;
  return !equalJson(before, after, (value) => spendOnValue(value, evaluation));
}

function spendOnValue(value: Json, budget: Budget): void {
  budget.spend(STEPS_OF_A_MEMBER);
  if (typeof value === "string") spendOnComparing(value.length, budget);
  // Twice: it is listed once more to be compared.
  else if (isJsonObject(value)) budget.spend(STEPS_OF_A_MEMBER * namesWithin(value, budget).length);
}

function valueAt(value: Json | undefined, pointer: readonly string[]): Json | undefined {
  let found = value;
  for (const part of pointer) {
    if (found === undefined) return undefined;
    found = memberOf(found, unescapedName(part));
  }
  return found;
}
