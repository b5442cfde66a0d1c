/** What JSON.rawJSON gives; TypeScript's library does not name it yet, and those who import our types have none. */
interface RawNumber {
  readonly rawJSON: string;
}

/**
 * JSON that keeps every number as it was written. Nomad's nanosecond times exceed 2^53 and Go's codec writes
 * numbers JavaScript would print differently, so a number whose text JavaScript would not reproduce is held
 * as `JSON.rawJSON`, which `JSON.stringify` writes back unchanged.
 */
export type Json = null | boolean | number | string | RawNumber | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** Parses JSON without losing a digit. Throws SyntaxError as JSON.parse does. */
export function parseExact(text: string): Json {
  return JSON.parse(text, (_name, value, context): unknown =>
    typeof value === "number" && context.source !== undefined && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  ) as Json;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The value where it is an object, else one without members. */
export function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The text of a whole number ("884210", "1795434687866379238"), or undefined for anything else. */
export function integerText(value: Json | undefined): string | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === "object" && value !== null && JSON.isRawJSON(value)) {
    return /^-?\d+$/.test(value.rawJSON) ? value.rawJSON : undefined;
  }
  return undefined;
}

export function stringField(stub: JsonObject, name: string): string | undefined {
  const value = stub[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * Structural equality; object members in any order, numbers by their text. `onCompare` is told of each pair of values
 * before it is compared.
 */
export function equalJson(a: Json, b: Json, onCompare?: (a: Json, b: Json) => void): boolean {
  onCompare?.(a, b);
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (JSON.isRawJSON(a) || JSON.isRawJSON(b)) {
    return JSON.isRawJSON(a) && JSON.isRawJSON(b) && a.rawJSON === b.rawJSON;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, position) => equalJson(item, b[position] as Json, onCompare))
    );
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) => Object.hasOwn(b, name) && equalJson(a[name] as Json, b[name] as Json, onCompare),
  );
}
