import { redactionRuleSchema, type RedactionRule } from "../schemas/redaction-schema.ts";
import type { FilterLanguage } from "./conditions.ts";
import type { FileSection } from "./file.ts";
import { parseAt, problemAt, type Place } from "./section.ts";

/** The rules of the file, and what is wrong with any of them, one sentence each. Patterns are not quoted. */
export function redactionOf(
  section: FileSection | undefined,
  language: Pick<FilterLanguage, "problemOfPattern">,
): { redaction: RedactionRule[]; problems: string[] } {
  if (section === undefined || section.value === null) return { redaction: [], problems: [] };
  const whole: Place = { section, name: "redaction", path: [] };
  if (!Array.isArray(section.value)) {
    return {
      redaction: [],
      problems: [problemAt(whole, [], "is not a list; allowed: rules, a dash before each")],
    };
  }
  const redaction: RedactionRule[] = [];
  const problems: string[] = [];
  section.value.forEach((given: unknown, at) => {
    const place = { ...whole, path: [at] };
    const { value: rule, problems: wrong } = parseAt(redactionRuleSchema, given, place);
    problems.push(...wrong);
    if (rule === undefined) return;
    redaction.push(rule);
    problems.push(...patternProblems(rule, place, language));
  });
  return { redaction, problems };
}

function patternProblems(
  { patterns = [] }: RedactionRule,
  place: Place,
  { problemOfPattern }: Pick<FilterLanguage, "problemOfPattern">,
): string[] {
  return patterns.flatMap((pattern, at) => {
    const problem = problemOfPattern(pattern);
    return problem === undefined
      ? []
      : [problemAt(place, ["patterns", at], `is no regular expression: ${problem}`)];
  });
}
