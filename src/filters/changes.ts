import { equalJson, isJsonObject, type Json } from "../schemas/json.ts";
import { memberOf } from "./values.ts";

/**
 * Whether something changed at this place of the object: exactly there, below it, or above it, where a whole part
 * of the object appeared, vanished or was replaced, and differs here.
 */
export function changesAt(pointer: string): (changes: Json) => boolean {
  const below = `${pointer}/`;
  return (changes) =>
    Array.isArray(changes) &&
    changes.some((change) => {
      if (!isJsonObject(change)) return false;
      const { path, from, to } = change;
      if (typeof path !== "string") return false;
      if (path === pointer || path.startsWith(below)) return true;
      return below.startsWith(`${path}/`) && differAt(from, to, pointer.slice(path.length + 1).split("/"));
    });
}

function differAt(from: Json | undefined, to: Json | undefined, pointer: readonly string[]): boolean {
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
