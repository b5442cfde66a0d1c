import type { Severity } from "../../schemas/severity.ts";
import type { Predicate } from "./transition.ts";

/** A named transition of one object. */
export interface Signal {
  readonly name: string;
  readonly severity: Severity;
  /** One line for people; docs/signals.md is made of it. */
  readonly description: string;
  readonly when: Predicate;
}

export function signal(name: string, severity: Severity, description: string, when: Predicate): Signal {
  return { name, severity, description, when };
}
