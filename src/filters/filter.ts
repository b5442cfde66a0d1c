import type { FilterCost } from "../schemas/subscription-schema.ts";
import { compileExpression } from "./compile.ts";
import {
  Allowance,
  Evaluation,
  MAX_STEPS,
  NeedsExactNumbers,
  OutOfSteps,
  type FilterSubject,
} from "./evaluation.ts";
import { parseExpression, type ParserOptions } from "./parser.ts";

export type { FilterSubject };

/**
 * Whether an event is wanted. What asking cost is added to `cost`.
 * @throws StepLimitReached where `cost` has a limit and this would go beyond it.
 */
export type Filter = (subject: FilterSubject, cost?: FilterCost, maxSteps?: number) => boolean;

/**
 * A subscriber's expression, ready to be asked. What an event does not say counts for it: a filter must not hide
 * an event because it is too large to be whole, or so large that asking would cost more than `maxSteps`.
 * @throws InvalidFilter
 */
export function createFilter(text: string, options: ParserOptions): Filter {
  const { holds } = compileExpression(parseExpression(text, options));
  const ask = (subject: FilterSubject, allowance: Allowance, exact: boolean): boolean => {
    try {
      return holds(new Evaluation(subject, exact, allowance)) !== false;
    } catch (error) {
      if (error instanceof OutOfSteps) return true;
      if (error instanceof NeedsExactNumbers) return ask(subject, allowance, true);
      throw error;
    }
  };
  return (subject, cost, maxSteps = MAX_STEPS) => {
    const allowance = new Allowance(maxSteps, cost);
    try {
      return ask(subject, allowance, false);
    } finally {
      allowance.close();
    }
  };
}
