import type { Regex } from "../../filters/regex/regex.ts";
import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { pointerOf } from "../../shared/json-pointer.ts";
import { step, type Position } from "./path-positions.ts";

/** Takes out of JSON what must not leave, and notes where it was. One for each event. */
export class Scrubber {
  /** JSON Pointers of all places where something was redacted. */
  readonly places: string[] = [];
  readonly #patterns: readonly Regex[];
  /** Names down to the value that is looked at. */
  readonly #place: string[] = [];

  constructor(patterns: readonly Regex[]) {
    this.#patterns = patterns;
  }

  /** What `name` stands for here, by what `scrub` makes of it. */
  within(name: string, scrub: () => Json): Json {
    this.#place.push(name);
    const scrubbed = scrub();
    this.#place.pop();
    return scrubbed;
  }

  /** The value that stands here, without what lies on a path or matches a pattern. */
  value(value: Json, positions: readonly Position[] | "redacted"): Json {
    if (positions === "redacted") return this.#marker(value);
    // Nothing below can be meant.
    if (positions.length === 0 && this.#patterns.length === 0) return value;
    if (typeof value === "string") return this.#matches(value) ? this.#marker(value) : value;
    if (Array.isArray(value)) {
      return value.map((item, at) => {
        const name = String(at);
        return this.within(name, () => this.value(item, step(positions, name)));
      });
    }
    return isJsonObject(value) ? this.#members(value, positions) : value;
  }

  #members(object: JsonObject, positions: readonly Position[]): JsonObject {
    const names = Object.keys(object);
    const members = names.map((name): [string, Json] => {
      const shown = this.#matches(name) ? this.#freeName(names) : name;
      const value = object[name] ?? null;
      return [shown, this.within(shown, () => this.value(value, step(positions, name)))];
    });
    return Object.fromEntries(members);
  }

  /** Two names of one object that are redacted stay two. */
  #freeName(names: string[]): string {
    let name = REDACTED;
    for (let number = 2; names.includes(name); number++) name = `${REDACTED} ${number}`;
    names.push(name);
    this.within(name, () => this.#note(name));
    return name;
  }

  /** What was redacted before is not redacted anew. */
  #marker(value: Json): Json {
    return value === REDACTED ? value : this.#note(REDACTED);
  }

  #note(marker: string): string {
    this.places.push(pointerOf(this.#place));
    return marker;
  }

  /** The same of a JSON Pointer that stands here: of the names in it. */
  path(names: readonly string[]): string {
    const shown = names.map((name) => (this.#matches(name) ? REDACTED : name));
    if (shown.some((name, at) => name !== names[at])) this.#note(REDACTED);
    return pointerOf(shown);
  }

  #matches(text: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(text));
  }
}
