import { equalJson, isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import { memberOf, type Question } from "./values.ts";

/**
 * Whether something changed at this place of the object: exactly there, below it, or above it, where a whole part
 * of the object appeared, vanished or was replaced, and differs here.
 */
export function changesAt(pointer: string): Question {
  const below = `${pointer}/`;
  return (changes, evaluation) => {
    if (!Array.isArray(changes)) return false;
    evaluation.spend(changes.length);
    return changes.some((change) => {
      if (!isJsonObject(change)) return false;
      const { path } = change;
      if (typeof path !== "string") return false;
      if (path === pointer || path.startsWith(below)) return true;
      if (!below.startsWith(`${path}/`)) return false;
      evaluation.assertExact();
      return differAt(change, pointer.slice(path.length + 1).split("/"));
    });
  };
}

function differAt({ from, to }: JsonObject, pointer: readonly string[]): boolean {
  const [before, after] = [valueAt(from, pointer), valueAt(to, pointer)];
  if (before === undefined || after === undefined) return before !== after;
  return !equalJson(before, after);
}

function valueAt(value: Json | undefined, pointer: readonly string[]): Json | undefined {
  let found = value;
  for (const part of pointer) {
    if (found === undefined) return undefined;
    found = memberOf(found, part.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return found;
}
