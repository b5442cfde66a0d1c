import { matchesAny } from "../../shared/patterns.ts";
import { labelsOf, type SubjectKind, type SubjectRef } from "../model/subject.ts";
import { EVERYWHERE, HOUR } from "./define.ts";
import type { AnyRule, Rule, RuleFacts } from "./rule.ts";

/** What is remembered of what happened, where no rule asks for longer. */
const LEAST_HORIZON_MS = HOUR;

/** The rules that hold, ready to be asked for. */
export class RuleSet {
  readonly #byKind: Map<SubjectKind, AnyRule[]>;
  readonly #byName: Map<string, AnyRule>;
  readonly #causes: Map<string, string[]>;
  /** The longest time in which something is counted, ms. */
  readonly horizonMs: number;
  /** Whether a failed deployment has an alert of its own. */
  readonly deploymentsAreTold: boolean;

  constructor(rules: readonly AnyRule[]) {
    this.#byKind = Map.groupBy(rules, ({ on }) => on);
    this.#byName = new Map(rules.map((rule) => [rule.name, rule]));
    this.#causes = new Map(rules.map((rule) => [rule.name, causesOf(rule, rules)]));
    this.horizonMs = Math.max(LEAST_HORIZON_MS, ...rules.map(({ withinMs }) => withinMs ?? 0));
    this.deploymentsAreTold = rules.some(({ base }) => base === "DeploymentFailed");
  }

  get(name: string): RuleFacts | undefined {
    return this.#byName.get(name);
  }

  on<Kind extends SubjectKind>(kind: Kind): readonly Rule<Kind>[];
  on(kind: SubjectKind): readonly AnyRule[] {
    return this.#byKind.get(kind) ?? [];
  }

  /** Names of the rules whose alerts explain those of this one. */
  causes(rule: string): readonly string[] {
    return this.#causes.get(rule) ?? [];
  }
}

function causesOf({ foldsInto }: RuleFacts, rules: readonly AnyRule[]): string[] {
  return rules.filter(({ base }) => foldsInto.includes(base)).map(({ name }) => name);
}

/** Whether a rule is for a subject; `name` is what people call a node, beside its id. */
export function isFor({ where }: RuleFacts, ref: SubjectRef, name?: string): boolean {
  if (where === EVERYWHERE) return true;
  const labels = labelsOf(ref);
  return Object.entries(where).every(([label, patterns = []]) => {
    const values = [labels[label] ?? "", ...(name === undefined ? [] : [name])];
    return matchesAny(values, patterns);
  });
}
