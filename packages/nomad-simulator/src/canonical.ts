import { isJsonObject, parseExact, type Json } from "../../../src/schemas/json.ts";

/** A stub's text with the members of every object sorted: equal texts are equal stubs, whatever the map order. */
export function canonicalStub(text: string): string {
  return JSON.stringify(sorted(parseExact(text)));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name] as Json)]));
}
