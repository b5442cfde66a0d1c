import { createFilter, type FilterSubject } from "../../filters/filter.ts";
import { isJsonObject, parseExact, type Json, type JsonObject } from "../../schemas/json.ts";
import type { EventExpression, TestedEvent } from "../../schemas/subscription-schema.ts";

export { InvalidFilter } from "../../filters/errors.ts";

/** An expression of the filter language with the test of events that it is. @throws InvalidFilter */
export function compileFilter(text: string, signals: readonly string[]): EventExpression {
  const filter = createFilter(text, { signals });
  return { text, test: (event) => filter(new Subject(event)) };
}

/** What was parsed of events that somebody still holds: once for all subscribers. */
class ParsedEvents {
  readonly #parsed = new WeakMap<TestedEvent, JsonObject>();
  readonly #parse: (text: string) => Json;

  constructor(parse: (text: string) => Json) {
    this.#parse = parse;
  }

  dataOf(event: TestedEvent): JsonObject {
    const known = this.#parsed.get(event);
    if (known !== undefined) return known;
    const whole = this.#parse(event.json);
    const data = isJsonObject(whole) && isJsonObject(whole["data"]) ? whole["data"] : {};
    this.#parsed.set(event, data);
    return data;
  }
}

const parsed = new ParsedEvents((text) => JSON.parse(text) as Json);
const parsedExactly = new ParsedEvents(parseExact);

class Subject implements FilterSubject {
  readonly facts: TestedEvent;

  constructor(event: TestedEvent) {
    this.facts = event;
  }

  data(): JsonObject {
    return parsed.dataOf(this.facts);
  }

  exactData(): JsonObject {
    return parsedExactly.dataOf(this.facts);
  }
}
