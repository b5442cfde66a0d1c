import { EVERYTHING, type Access } from "./access.ts";
import { MAX_STEPS } from "../../filters/evaluation.ts";
import type { HistoryFacts } from "../../feed/log.ts";
import { SEVERITIES } from "../../schemas/severity.ts";
import {
  resourceOfEventType,
  type EventConditions,
  type EventTest,
} from "../../schemas/subscription-schema.ts";

/** Whether a subscriber wants an event, and may see it. Looks at its facts first; parses it for a filter at most. */
export type EventFilter = EventTest;
type Facts = Omit<HistoryFacts, "sequence">;
type FactsTest = (facts: Facts) => boolean;

/**
 * A control event says how far other events can be trusted, so it passes where its scope can hold what was
 * asked for: a filter must not hide that what it lets through is stale.
 */
export function createEventFilter(conditions: EventConditions, access: Access = EVERYTHING): EventFilter {
  const mayPass = createFactsFilter(conditions, access);
  const { filters = [] } = conditions;
  // One expression that is dear leaves the others theirs.
  const maxSteps = MAX_STEPS / filters.length;
  return (event, cost) => mayPass(event) && filters.every(({ test }) => test(event, cost, maxSteps));
}

/** The same but for the expressions: what can be said of an event before it is read. */
export function createFactsFilter(conditions: EventConditions, access: Access): FactsTest {
  const forChanges = changeTests(conditions);
  const forControl = controlTests(conditions);
  return (facts) =>
    access.maySee(facts) && (facts.op === null ? forControl : forChanges).every((test) => test(facts));
}

/** Of some events together: whether there is one of these resources or types; control events speak of all. */
export type KindsTest = (kinds: EventKinds) => boolean;

/** What some events are of: their resources and types, and whether one is a control event. */
export interface EventKinds {
  readonly names: ReadonlySet<string>;
  readonly hasControl: boolean;
}

export function kindsOf(events: readonly Facts[]): EventKinds {
  const names = new Set<string>();
  let hasControl = false;
  for (const { op, type, resource } of events) {
    names.add(type);
    if (resource !== null) names.add(resource);
    hasControl ||= op === null;
  }
  return { names, hasControl };
}

/** Whether any of them can pass, as far as their kinds tell: for who wants few kinds of very many events. */
export function createKindsTest({ types }: EventConditions): KindsTest {
  if (types === undefined) return () => true;
  return ({ names, hasControl }) => hasControl || types.some((type) => names.has(type));
}

function changeTests(conditions: EventConditions): FactsTest[] {
  const { types, namespaces, ops, aspects, signals, subjects, minSeverity } = conditions;
  const tests: FactsTest[] = [];
  if (types) {
    const wanted = new Set<string | null>(types);
    tests.push((facts) => wanted.has(facts.resource) || wanted.has(facts.type));
  }
  if (namespaces) tests.push(isOneOf(namespaces, (facts) => facts.namespace));
  if (ops) tests.push(isOneOf(ops, (facts) => facts.op));
  if (aspects) tests.push(isOneOf(aspects, (facts) => facts.aspect));
  if (signals) {
    const wanted = new Set(signals);
    tests.push((facts) => facts.signals.some((signal) => wanted.has(signal)));
  }
  if (subjects) tests.push(isOneOf(subjects, (facts) => `${facts.resource}/${facts.namespace}/${facts.key}`));
  if (minSeverity) tests.push(isAtLeast(minSeverity));
  return tests;
}

function controlTests({ types, namespaces, subjects, minSeverity }: EventConditions): FactsTest[] {
  const tests: FactsTest[] = [];
  if (types) {
    const named = new Set(types);
    const resources = new Set<string>(types.map((type) => resourceOfEventType(type) ?? type));
    tests.push(
      ({ type, resource }) =>
        resource === null || named.has("feed") || named.has(type) || resources.has(resource),
    );
  }
  if (namespaces) {
    const wanted = new Set(namespaces);
    tests.push(({ namespace }) => namespace === null || namespace === "*" || wanted.has(namespace));
  }
  if (subjects) {
    const scopes = new Set(subjects.flatMap(scopesHolding));
    tests.push(
      ({ resource, namespace }) => resource === null || scopes.has(`${resource}/${namespace ?? "*"}`),
    );
  }
  if (minSeverity) tests.push(isAtLeast(minSeverity));
  return tests;
}

function isOneOf(wanted: readonly string[], value: (facts: Facts) => string | null): FactsTest {
  const set = new Set<string | null>(wanted);
  return (facts) => set.has(value(facts));
}

function isAtLeast(severity: keyof typeof SEVERITIES): FactsTest {
  const least = SEVERITIES[severity];
  return (facts) => SEVERITIES[facts.severity] >= least;
}

/** `jobs/default/web` can be in the scopes `jobs/default` and `jobs/*`. */
function scopesHolding(subject: string): string[] {
  const [resource, namespace] = subject.split("/");
  return [`${resource}/${namespace}`, `${resource}/*`];
}
