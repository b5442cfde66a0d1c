import type { Regex } from "../../filters/regex/regex.ts";
import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { pointerOf, step, type Position } from "./path-positions.ts";

/** Takes out of JSON what must not leave, and notes where it was. One for each event. */
export class Scrubber {
  /** Names down to each place where something was redacted. */
  readonly places: string[][] = [];
  readonly #patterns: readonly Regex[];

  constructor(patterns: readonly Regex[]) {
    this.#patterns = patterns;
  }

  /** The value that stands at `place`, without what lies on a path or matches a pattern. */
  value(value: Json, positions: readonly Position[] | "redacted", place: readonly string[]): Json {
    if (positions === "redacted") return this.#marker(value, place);
    if (typeof value === "string") return this.#matches(value) ? this.#marker(value, place) : value;
    if (Array.isArray(value)) {
      return value.map((item, at) => this.value(item, step(positions, String(at)), [...place, String(at)]));
    }
    return isJsonObject(value) ? this.#members(value, positions, place) : value;
  }

  #members(object: JsonObject, positions: readonly Position[], place: readonly string[]): JsonObject {
    const taken = new Set(Object.keys(object));
    const members = Object.entries(object).map(([name, value]): [string, Json] => {
      const shown = this.#matches(name) ? this.#freeName(taken, place) : name;
      return [shown, this.value(value, step(positions, name), [...place, shown])];
    });
    return Object.fromEntries(members);
  }

  /** Two names of one object that are redacted stay two. */
  #freeName(taken: Set<string>, place: readonly string[]): string {
    let name = REDACTED;
    for (let number = 2; taken.has(name); number++) name = `${REDACTED} ${number}`;
    taken.add(name);
    this.places.push([...place, name]);
    return name;
  }

  /** What was redacted before is not redacted anew. */
  #marker(value: Json, place: readonly string[]): Json {
    if (value !== REDACTED) this.places.push([...place]);
    return REDACTED;
  }

  /** The same of a JSON Pointer: of the names in it. */
  path(names: readonly string[], place: readonly string[]): string {
    const shown = names.map((name) => (this.#matches(name) ? REDACTED : name));
    if (shown.some((name, at) => name !== names[at])) this.places.push([...place]);
    return pointerOf(shown);
  }

  #matches(text: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(text));
  }
}
