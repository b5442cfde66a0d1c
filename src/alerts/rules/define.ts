import type { SubjectKind } from "../model/subject.ts";
import type { Rule, RuleFacts } from "./rule.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** For all subjects. */
export const EVERYWHERE: RuleFacts["where"] = {};

type Optional =
  | "atLeast"
  | "withinMs"
  | "longerThanMs"
  | "where"
  | "foldsInto"
  | "page"
  | "keepFiringForMs"
  | "forMs";

/** A rule of the table; what it does not say is absent or nothing. */
export function rule<Kind extends SubjectKind>(
  entry: Omit<Rule<Kind>, Optional | "base"> & Partial<Pick<Rule<Kind>, Optional>>,
): Rule<Kind> {
  return {
    base: entry.name,
    atLeast: undefined,
    withinMs: undefined,
    longerThanMs: undefined,
    where: EVERYWHERE,
    foldsInto: [],
    page: undefined,
    forMs: 0,
    keepFiringForMs: 0,
    ...entry,
  };
}
