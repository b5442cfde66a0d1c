import type { z } from "zod";
import { ChangefeedError } from "../schemas/errors.ts";
import {
  CONDITION_PARAMETERS,
  conditionsOf,
  InvalidParameter,
  type EventConditions,
  type SubscriptionContext,
} from "../schemas/subscription-schema.ts";
import { problemAt, type Place } from "./section.ts";

/** Reads what a subscription may ask for, and regular expressions, which this module does not know. */
export interface FilterLanguage extends Pick<SubscriptionContext, "signals" | "compileFilter"> {
  /** Where in the pattern something is wrong with it, and what; undefined: nothing. */
  readonly problemOfPattern: (pattern: string) => string | undefined;
}

/**
 * The conditions among the fields of a map, checked one by one as a subscription's are, so that each tells of its own
 * mistake. What is no list of texts at all is left to the schema.
 */
export function conditionsAt(
  given: object,
  shape: Readonly<Record<string, z.ZodType>>,
  { place, language }: { place: Place; language: Pick<FilterLanguage, "signals" | "compileFilter"> },
): { conditions: EventConditions; problems: string[] } {
  const conditions: EventConditions[] = [];
  const problems: string[] = [];
  for (const field of CONDITION_PARAMETERS) {
    const parsed = shape[field]?.safeParse((given as Record<string, unknown>)[field]);
    if (parsed?.success !== true || parsed.data === undefined) continue;
    const values = ([parsed.data].flat() as string[]).map((value): [string, string] => [field, value]);
    try {
      conditions.push(conditionsOf(new URLSearchParams(values), language));
    } catch (error) {
      if (!(error instanceof ChangefeedError)) throw error;
      problems.push(problemAt(place, [field], sentenceOf(error)));
    }
  }
  return { conditions: Object.assign({}, ...conditions) as EventConditions, problems };
}

/** What an error says, as one sentence; a second line points into a filter. */
export function sentenceOf(error: ChangefeedError): string {
  const [first = "", ...pointer] = error.message.split("\n");
  const hint = error.hint === undefined ? "" : `; ${error.hint.replace(/\.$/, "")}`;
  const allowed = error instanceof InvalidParameter ? `; allowed: ${error.allowed.join(", ")}` : "";
  return [`${first}${hint}${allowed}`, ...pointer].join("\n");
}
