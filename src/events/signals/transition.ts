import { integerText, isJsonObject, stringField, type Json, type JsonObject } from "../../schemas/json.ts";

/** An object's stub before and after; undefined where it did not exist. */
export interface Transition {
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

/** Whether a transition is one that a signal names. */
export type Predicate = (transition: Transition) => boolean;

/** True of what a stub may be, absent included; what a `turned` predicate watches. */
type Condition = (stub: JsonObject) => boolean;

export const all =
  (...predicates: readonly Predicate[]): Predicate =>
  (transition) =>
    predicates.every((predicate) => predicate(transition));

export const any =
  (...predicates: readonly Predicate[]): Predicate =>
  (transition) =>
    predicates.some((predicate) => predicate(transition));

export const not =
  (predicate: Predicate): Predicate =>
  (transition) =>
    !predicate(transition);

/** A new object (for which `condition` holds). */
export const appeared =
  (condition: Condition = () => true): Predicate =>
  ({ before, after }) =>
    before === undefined && after !== undefined && condition(after);

/** An object that is gone (for whose last state `condition` held). */
export const vanished =
  (condition: Condition = () => true): Predicate =>
  ({ before, after }) =>
    before !== undefined && after === undefined && condition(before);

/** `condition` holds now and did not before; an object first seen in that state has also come into it. */
export const turned =
  (condition: Condition): Predicate =>
  ({ before, after }) =>
    after !== undefined && condition(after) && !(before !== undefined && condition(before));

/** The field has this value now and had another, or the object was not there. */
export const became = (field: string, value: string | boolean): Predicate => turned(is(field, value));

/** The object was there, with this value of the field. */
export const was =
  (field: string, value: string | boolean): Predicate =>
  ({ before }) =>
    before !== undefined && before[field] === value;

/** The object is there, with one of these values of the field. */
export const isNow =
  (field: string, ...values: readonly (string | boolean)[]): Predicate =>
  ({ after }) =>
    after !== undefined && values.some((value) => after[field] === value);

/** The object was and is there, and this of it differs. */
export const moved =
  (read: (stub: JsonObject) => string | undefined): Predicate =>
  ({ before, after }) =>
    before !== undefined && after !== undefined && read(before) !== read(after);

export const is =
  (field: string, value: string | boolean): Condition =>
  (stub) =>
    stub[field] === value;

/** The string field holds something. */
export const filled =
  (field: string): Condition =>
  (stub) =>
    (stringField(stub, field) ?? "") !== "";

export const lacks =
  (condition: Condition): Condition =>
  (stub) =>
    !condition(stub);

export const mentions =
  (field: string, text: string): Condition =>
  (stub) =>
    (stringField(stub, field) ?? "").includes(text);

/** Text of a whole-number field. */
export const numberText =
  (field: string) =>
  (stub: JsonObject): string | undefined =>
    integerText(stub[field]);

/** A member of a nested object, or undefined. */
export function inside(stub: Json | undefined, ...names: readonly string[]): Json | undefined {
  let value: Json | undefined = stub;
  for (const name of names) {
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** The same-named objects of a map (task groups, tasks, drivers) of both stubs, one pair each there is after. */
function pairs(
  { before, after }: Transition,
  ...map: readonly string[]
): { before: JsonObject | undefined; after: JsonObject }[] {
  const [olds, news] = [inside(before, ...map), inside(after, ...map)];
  if (!isJsonObject(news)) return [];
  return Object.entries(news).flatMap(([name, member]) => {
    const old = isJsonObject(olds) ? inside(olds, name) : undefined;
    return isJsonObject(member) ? [{ before: isJsonObject(old) ? old : undefined, after: member }] : [];
  });
}

/** The predicate holds for one of the same-named objects of a map. */
export const inAny =
  (map: readonly string[], predicate: Predicate): Predicate =>
  (transition) =>
    pairs(transition, ...map).some(predicate);

/** The count went from nothing to something. */
export const roseFromZero = (field: string): Predicate => turned((stub) => countOf(stub, field) > 0);

/** The count is higher than before; before an object was there, it was zero. */
export const rose =
  (field: string): Predicate =>
  ({ before, after }) =>
    after !== undefined && countOf(after, field) > (before === undefined ? 0 : countOf(before, field));

/** A count; 0 where the stub has none. */
export function countOf(stub: JsonObject, field: string): number {
  const value = stub[field];
  return typeof value === "number" ? value : 0;
}

/** The RFC 3339 field now holds a time, another than before. Go's zero time is none. */
export const clocked =
  (field: string): Predicate =>
  ({ before, after }) => {
    const now = after === undefined ? undefined : timeText(after, field);
    return now !== undefined && now !== (before === undefined ? undefined : timeText(before, field));
  };

function timeText(stub: JsonObject, field: string): string | undefined {
  const text = stringField(stub, field);
  return text === undefined || text.startsWith("0001-01-01") ? undefined : text;
}

/**
 * A task has an event that it did not have, by type and time, for which `condition` holds. Nomad keeps the ten
 * newest events of a task: older ones that came and went between two polls are not seen.
 */
export const taskEvent = (condition: Condition): Predicate =>
  inAny(["TaskStates"], ({ before, after }) =>
    eventsOf(after).some(
      (event) => condition(event) && !eventsOf(before).some((known) => isSameEvent(known, event)),
    ),
  );

function eventsOf(task: JsonObject | undefined): JsonObject[] {
  const events = task?.["Events"];
  return Array.isArray(events) ? events.filter((event) => isJsonObject(event)) : [];
}

function isSameEvent(a: JsonObject, b: JsonObject): boolean {
  return a["Type"] === b["Type"] && integerText(a["Time"]) === integerText(b["Time"]);
}
