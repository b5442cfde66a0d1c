import { compileExpression } from "./compile.ts";
import { Evaluation, NeedsExactNumbers, OutOfSteps, type FilterSubject } from "./evaluation.ts";
import { parseExpression, type ParserOptions } from "./parser.ts";

export type { FilterSubject };

/** Whether an event is wanted. */
export type Filter = (subject: FilterSubject) => boolean;

/**
 * A subscriber's expression, ready to be asked. What an event does not say counts for it: a filter must not hide
 * an event because it is too large to be whole, or so large that asking would cost more than `MAX_STEPS`.
 * @throws InvalidFilter
 */
export function createFilter(text: string, options: ParserOptions): Filter {
  const { holds } = compileExpression(parseExpression(text, options));
  const ask = (subject: FilterSubject, exact: boolean): boolean => {
    try {
      return holds(new Evaluation(subject, exact)) !== false;
    } catch (error) {
      if (error instanceof OutOfSteps) return true;
      if (error instanceof NeedsExactNumbers) return ask(subject, true);
      throw error;
    }
  };
  return (subject) => ask(subject, false);
}
