import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";

/** A member of a nested object, or undefined. */
export function inside(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value;
  for (const name of names)
    found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** "" where the stub has no such text. */
export function textOf(stub: JsonObject, field: string): string {
  const value = stub[field];
  return typeof value === "string" ? value : "";
}

/** Text inside nested objects; "" where there is none. */
export function textInside(value: Json | undefined, ...names: readonly string[]): string {
  const found = inside(value, ...names);
  return typeof found === "string" ? found : "";
}

export function isFilled(stub: JsonObject, field: string): boolean {
  return textOf(stub, field) !== "";
}

/** 0 where the stub has no such number. */
export function numberOf(stub: JsonObject, field: string): number {
  const value = stub[field];
  return typeof value === "number" ? value : 0;
}

export function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : [];
}

export function membersOf(value: Json | undefined): [name: string, member: JsonObject][] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => (isJsonObject(member) ? [[name, member]] : []));
}

/** Milliseconds since 1970 of an RFC 3339 text; undefined for none, and for Go's zero time. */
export function timeIn(value: Json | undefined): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return ms > 0 ? ms : undefined;
}
