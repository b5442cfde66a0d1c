import { sameJson } from "./same-json.ts";
import type { JsonChange } from "./wire.ts";

/**
 * The stub after an update, from the one before it and the event's `data.changes`, which must be all of them:
 * `data.changesTruncated` is absent then. Neither is modified.
 * @throws RangeError where they do not belong together.
 */
export function applyChanges<Stub>(before: Stub, changes: readonly JsonChange[]): Stub {
  const apply = (value: unknown, { path, from, to }: JsonChange) => step(value, namesOf(path), from, to);
  return changes.reduce(apply, before) as Stub;
}

/**
 * The stub before an update, from the one after it: `applyChanges` the other way round.
 * @throws RangeError where they do not belong together.
 */
export function undoChanges<Stub>(after: Stub, changes: readonly JsonChange[]): Stub {
  const undo = (value: unknown, { path, from, to }: JsonChange) => step(value, namesOf(path), to, from);
  return changes.reduceRight(undo, after) as Stub;
}

type Members = Record<string, unknown>;

/** The value with the member at `names` turned from `from` into `to`; undefined stands for absent. */
function step(value: unknown, names: readonly string[], from: unknown, to: unknown): unknown {
  const [name, ...rest] = names;
  if (name === undefined) {
    if (!sameJson(value, from)) throw new RangeError("The changes are of another version of the object");
    return to;
  }
  if (Array.isArray(value)) return stepArray(value, name, rest, from, to);
  if (isObject(value)) return stepObject(value, name, rest, from, to);
  throw new RangeError(`There is no member ${JSON.stringify(name)} to change`);
}

function stepArray(
  value: unknown[],
  name: string,
  rest: readonly string[],
  from: unknown,
  to: unknown,
): unknown[] {
  const index = /^\d+$/.test(name) ? Number(name) : Number.NaN;
  const inserts = rest.length === 0 && from === undefined;
  if (!(index < value.length || (inserts && index === value.length))) {
    throw new RangeError(`There is no element ${name} in an array of ${value.length}`);
  }
  if (inserts) return value.toSpliced(index, 0, to);
  const element = step(value[index], rest, from, to);
  return element === undefined ? value.toSpliced(index, 1) : value.with(index, element);
}

function stepObject(
  value: Members,
  name: string,
  rest: readonly string[],
  from: unknown,
  to: unknown,
): Members {
  const { [name]: member, ...others } = value;
  const own = Object.hasOwn(value, name) ? member : undefined;
  const changed = step(own, rest, from, to);
  // A member keeps its place among the others.
  return changed === undefined ? others : { ...value, [name]: changed };
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

function namesOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}
