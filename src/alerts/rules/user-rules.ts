import {
  RULE_NAME,
  RULE_NAME_ALLOWED,
  type AlertRuleSettings,
  type AlertSettings,
} from "../../schemas/alert-rules.ts";
import { nearestName } from "../../schemas/nearest.ts";
import type { SubjectKind } from "../model/subject.ts";
import type { AnyRule } from "./rule.ts";

/** What is wrong with the settings, and where: `path` counts from `alerts`. */
export interface RuleProblem {
  readonly path: readonly string[];
  readonly message: string;
}

type RuleSettings = AlertSettings["rules"];

/** The rules as users want them: theirs changed, off, and added; or what is wrong with what they want. */
export function rules(
  defaults: readonly AnyRule[],
  overrides: RuleSettings,
): { rules: AnyRule[]; problems: RuleProblem[] } {
  const own = Object.entries(overrides).filter(([name]) => !defaults.some((rule) => rule.name === name));
  const changed = defaults.map((rule) => changedRule(rule, overrides[rule.name]));
  const added = own.map(([name, settings]) => addedRule(name, settings, defaults));
  const all = [...changed, ...added];
  return {
    rules: withCausesFirst(
      all.flatMap(({ rule }) => rule ?? []),
      defaults,
    ),
    problems: all.flatMap(({ problems }) => problems),
  };
}

interface Made {
  readonly rule?: AnyRule;
  readonly problems: readonly RuleProblem[];
}

function changedRule(rule: AnyRule, settings: RuleSettings[string] | undefined): Made {
  if (settings === undefined) return { rule, problems: [] };
  if (settings === "off") return { problems: [] };
  const problem = {
    path: ["rules", rule.name, "like"],
    message: `is for rules of your own; ${rule.name} is one of ours`,
  };
  return settings.like === undefined ? withSettings(rule, settings) : { problems: [problem] };
}

function addedRule(name: string, settings: RuleSettings[string], defaults: readonly AnyRule[]): Made {
  const at = ["rules", name];
  const names = defaults.map((rule) => rule.name);
  if (!RULE_NAME.test(name))
    return { problems: [{ path: at, message: `cannot be a name; allowed: ${RULE_NAME_ALLOWED}` }] };
  if (settings === "off" || settings.like === undefined) {
    const message = `is no rule of ours${didYouMean(name, names)}; a rule of your own needs like, and the name of one of ours`;
    return { problems: [{ path: at, message }] };
  }
  const { like } = settings;
  const base = defaults.find((rule) => rule.name === like);
  if (base !== undefined) return withSettings({ ...base, name }, settings);
  const message = `${like} is not allowed${didYouMean(like, names)}; allowed: ${names.join(", ")}`;
  return { problems: [{ path: [...at, "like"], message }] };
}

function didYouMean(given: string, names: readonly string[]): string {
  const nearest = nearestName(given, names);
  return nearest === undefined ? "" : `, did you mean ${nearest}?`;
}

function withSettings(rule: AnyRule, settings: AlertRuleSettings): Made {
  const { severity, for: forMs, keepFiringFor, atLeast, within, longerThan, where, summary } = settings;
  const problems = [...unusable(rule, settings), ...unknownLabels(rule, settings)];
  if (problems.length > 0) return { problems };
  return {
    problems,
    rule: {
      ...rule,
      severity: severity ?? rule.severity,
      forMs: forMs ?? rule.forMs,
      keepFiringForMs: keepFiringFor ?? rule.keepFiringForMs,
      atLeast: atLeast ?? rule.atLeast,
      withinMs: within ?? rule.withinMs,
      longerThanMs: longerThan ?? rule.longerThanMs,
      where: where === undefined ? rule.where : { ...rule.where, ...where },
      summary: summary ?? rule.summary,
    },
  };
}

/** Words that mean nothing for the rule. */
function unusable(rule: AnyRule, settings: AlertRuleSettings): RuleProblem[] {
  const words = [
    ["atLeast", rule.atLeast],
    ["within", rule.withinMs],
    ["longerThan", rule.base === "JobOverdue" ? 0 : rule.longerThanMs],
  ] as const;
  return words
    .filter(([word, usual]) => settings[word] !== undefined && usual === undefined)
    .map(([word]) => ({ path: ["rules", rule.name, word], message: `means nothing for ${rule.base}` }));
}

const LABELS: ReadonlyMap<SubjectKind, readonly string[]> = new Map([
  ["group", ["namespace", "job", "group"]],
  ["job", ["namespace", "job"]],
  ["node", ["node"]],
  ["scope", ["scope"]],
]);

function unknownLabels(rule: AnyRule, { where = {} }: AlertRuleSettings): RuleProblem[] {
  const labels = LABELS.get(rule.on) ?? [];
  return Object.keys(where)
    .filter((label) => !labels.includes(label))
    .map((label) => ({
      path: ["rules", rule.name, "where", label],
      message: `means nothing for ${rule.base}; allowed: ${labels.join(", ")}`,
    }));
}

/** Variants stand beside what they are variants of: causes before what they explain. */
function withCausesFirst(all: readonly AnyRule[], defaults: readonly AnyRule[]): AnyRule[] {
  const place = (rule: AnyRule): number => defaults.findIndex(({ name }) => name === rule.base);
  return all.toSorted((a, b) => place(a) - place(b));
}
