import type { FilterSubject } from "../filters/filter.ts";
import { createFilter } from "../filters/filter.ts";
import { isJsonObject, parseExact, type JsonObject } from "../schemas/json.ts";
import type { EventTest, TestedEvent } from "../schemas/subscription-schema.ts";

export { InvalidFilter } from "../filters/errors.ts";

/** Of events that are still held by somebody, what was parsed: once for all subscribers. */
const parsed = new WeakMap<TestedEvent, JsonObject>();
const NOTHING: JsonObject = {};

/** An expression of the filter language as a test of events. @throws InvalidFilter */
export function compileFilter(expression: string, signals: readonly string[]): EventTest {
  const filter = createFilter(expression, { signals });
  return (event) => filter(new Subject(event));
}

/** Parses the event when it is first asked for what its facts do not say. */
class Subject implements FilterSubject {
  readonly facts: TestedEvent;

  constructor(event: TestedEvent) {
    this.facts = event;
  }

  data(): JsonObject {
    const known = parsed.get(this.facts);
    if (known !== undefined) return known;
    const event = parseExact(this.facts.json);
    const data = isJsonObject(event) && isJsonObject(event["data"]) ? event["data"] : NOTHING;
    parsed.set(this.facts, data);
    return data;
  }
}
