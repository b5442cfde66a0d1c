import { isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import type { JsonChange } from "./json-diff.ts";

/** `after`, from `before` and the changes of an update. Neither is modified. @throws RangeError where they do not belong together. */
export function applyChanges(before: Json, changes: readonly JsonChange[]): Json {
  return changes.reduce((value, change) => step(value, namesOf(change.path), change.from, change.to), before);
}

/** `before`, from `after` and the changes of an update. Neither is modified. @throws RangeError where they do not belong together. */
export function undoChanges(after: Json, changes: readonly JsonChange[]): Json {
  return changes.reduceRight(
    (value, change) => step(value, namesOf(change.path), change.to, change.from),
    after,
  );
}

/** The value with the member at `names` turned from `from` into `to`; undefined stands for absent. */
function step(value: Json, names: readonly string[], from: Json | undefined, to: Json | undefined): Json {
  const [name, ...rest] = names;
  if (name === undefined) {
    if (to === undefined) throw new RangeError("A whole document cannot vanish");
    return to;
  }
  if (Array.isArray(value)) return stepArray(value, name, rest, from, to);
  if (isJsonObject(value)) return stepObject(value, name, rest, from, to);
  throw new RangeError(`There is no member ${JSON.stringify(name)} to change`);
}

function stepArray(
  value: Json[],
  name: string,
  rest: readonly string[],
  from: Json | undefined,
  to: Json | undefined,
): Json[] {
  const index = /^\d+$/.test(name) ? Number(name) : Number.NaN;
  const inserts = rest.length === 0 && from === undefined;
  if (!(index < value.length || (inserts && index === value.length))) {
    throw new RangeError(`There is no element ${name} in an array of ${value.length}`);
  }
  if (rest.length > 0) return value.with(index, step(value[index] as Json, rest, from, to));
  return value.toSpliced(index, inserts ? 0 : 1, ...(to === undefined ? [] : [to]));
}

function stepObject(
  value: JsonObject,
  name: string,
  rest: readonly string[],
  from: Json | undefined,
  to: Json | undefined,
): JsonObject {
  if (rest.length > 0) {
    if (!Object.hasOwn(value, name))
      throw new RangeError(`There is no member ${JSON.stringify(name)} to change`);
    return { ...value, [name]: step(value[name] as Json, rest, from, to) };
  }
  if (to !== undefined) return { ...value, [name]: to };
  const { [name]: _gone, ...others } = value;
  return others;
}

function namesOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}
