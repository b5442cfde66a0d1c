import type { FilterLanguage } from "../../config/conditions.ts";
import { SIGNAL_NAMES } from "../../events/signals.ts";
import { InvalidRegex, Regex } from "../../filters/regex/regex.ts";
import { compileFilter } from "../../publishers/selection/filter-expression.ts";

/** What the configuration reads filters and patterns with. */
export const FILTER_LANGUAGE: FilterLanguage = {
  signals: SIGNAL_NAMES,
  compileFilter,
  problemOfPattern: (pattern) => {
    try {
      void new Regex(pattern);
      return undefined;
    } catch (error) {
      if (error instanceof InvalidRegex) return `position ${error.at + 1}: ${error.message}`;
      throw error;
    }
  },
};
