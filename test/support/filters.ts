import { createFilter } from "../../src/filters/filter.ts";
import { isJsonObject, parseExact, type Json, type JsonObject } from "../../src/schemas/json.ts";
import type { EventFacts } from "../../src/schemas/draft.ts";
import { entryOf } from "./drafts.ts";

export const FILTER_SIGNALS = ["allocation.failed", "node.down"];

/** An event as filters are asked of it. `data` is JSON text, so that its numbers can be any. */
export interface SampleEvent {
  readonly facts: EventFacts;
  readonly data: string;
}

/** An update of an allocation, unless told otherwise. */
export function sampleEvent(data: string, overrides: Partial<EventFacts> = {}): SampleEvent {
  return { facts: entryOf({ job: "web", node: "n1", key: "a1", ...overrides }), data };
}

/** An update of an object with such a stub. */
export function eventAfter(after: string, overrides: Partial<EventFacts> = {}): SampleEvent {
  return sampleEvent(`{"after":${after}}`, overrides);
}

/** A control event, which speaks of the scope `jobs/default` unless told otherwise. */
export function controlEvent(overrides: Partial<EventFacts> = {}): SampleEvent {
  const facts = { type: "nomad.feed.scope", resource: "jobs", op: null, aspect: null, key: null } as const;
  return sampleEvent("{}", { ...facts, job: null, node: null, severity: "WARN", ...overrides });
}

/** Whether the event passes, how often it was parsed for that, and in how many steps. */
export function ask(
  expression: string,
  { facts, data }: SampleEvent,
  limit?: number,
): { passes: boolean; parsed: number; steps: number } {
  let parsed = 0;
  const cost = { steps: 0, parsed: 0, ...(limit !== undefined && { limit }) };
  const filter = createFilter(expression, { signals: FILTER_SIGNALS });
  const read = (parse: (text: string) => Json): JsonObject => {
    parsed += 1;
    const value = parse(data);
    return isJsonObject(value) ? value : {};
  };
  const isWanted = filter(
    {
      facts,
      data: () => read((text) => JSON.parse(text) as Json),
      exactData: () => read(parseExact),
    },
    cost,
  );
  return { passes: isWanted, parsed, steps: cost.steps };
}

export function passes(expression: string, event: SampleEvent): boolean {
  return ask(expression, event).passes;
}
