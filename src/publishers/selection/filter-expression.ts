import { createFilter, type FilterSubject } from "../../filters/filter.ts";
import { isJsonObject, parseExact, type Json, type JsonObject } from "../../schemas/json.ts";
import type { EventExpression, FilterCost, TestedEvent } from "../../schemas/subscription-schema.ts";

export { InvalidFilter } from "../../filters/errors.ts";

/** An expression of the filter language with the test of events that it is. @throws InvalidFilter */
export function compileFilter(text: string, signals: readonly string[]): EventExpression {
  const filter = createFilter(text, { signals });
  return { text, test: (event, cost, maxSteps) => filter(new Subject(event, cost), cost, maxSteps) };
}

/** What was parsed of events that somebody still holds: once for all subscribers. */
class ParsedEvents {
  readonly #parsed = new WeakMap<TestedEvent, JsonObject>();
  readonly #parse: (text: string) => Json;
  readonly #weight: number;

  /** `weight`: how many times as long as JSON.parse it takes. */
  constructor(parse: (text: string) => Json, weight: number) {
    this.#parse = parse;
    this.#weight = weight;
  }

  dataOf(event: TestedEvent, cost: FilterCost | undefined): JsonObject {
    const known = this.#parsed.get(event);
    if (known !== undefined) return known;
    if (cost !== undefined) cost.parsed += event.json.length * this.#weight;
    const whole = this.#parse(event.json);
    const data = isJsonObject(whole) && isJsonObject(whole["data"]) ? whole["data"] : {};
    this.#parsed.set(event, data);
    return data;
  }
}

const parsed = new ParsedEvents((text) => JSON.parse(text) as Json, 1);
const parsedExactly = new ParsedEvents(parseExact, 6);

class Subject implements FilterSubject {
  readonly facts: TestedEvent;
  readonly #cost: FilterCost | undefined;

  constructor(event: TestedEvent, cost: FilterCost | undefined) {
    this.facts = event;
    this.#cost = cost;
  }

  data(): JsonObject {
    return parsed.dataOf(this.facts, this.#cost);
  }

  exactData(): JsonObject {
    return parsedExactly.dataOf(this.facts, this.#cost);
  }
}
