import { FIELDS, type Field } from "../../ui/event-columns.ts";
import { partsOf, shortName } from "../../words/names.ts";
import { andFilter, quoted, type ListName, type Selection } from "./selection.ts";

/** What becomes of parameters of the address: null or "" takes one away. */
export type Changes = Readonly<Record<string, string | null>>;

/** One thing that holds of all events shown, and how the address is without it. */
export interface Condition {
  readonly key: string;
  readonly label: string;
  readonly value: string;
  readonly without: Changes;
}

interface FieldWords {
  readonly label: string;
  /** The parameter that lists wanted values. */
  readonly list?: ListName;
  /** How the filter language has it. */
  readonly term: (value: string) => string;
}

const WORDS: Readonly<Record<Field, FieldWords>> = {
  type: { label: "Type", list: "types", term: (value) => `resource.type == ${quoted(value)}` },
  severity: { label: "Severity", term: (value) => `severity == ${quoted(value)}` },
  namespace: {
    label: "Namespace",
    list: "namespaces",
    term: (value) => `resource.namespace == ${quoted(value)}`,
  },
  job: { label: "Job", list: "jobs", term: (value) => `resource.job == ${quoted(value)}` },
  node: { label: "Node", list: "nodes", term: (value) => `resource.node == ${quoted(value)}` },
  signal: { label: "Signal", list: "signals", term: (value) => `${quoted(value)} in signals` },
  op: { label: "Op", list: "ops", term: (value) => `op == ${quoted(value)}` },
  aspect: { label: "Aspect", list: "aspects", term: (value) => `aspect == ${quoted(value)}` },
  subject: {
    label: "Object",
    list: "subjects",
    term: (value) => `resource.id == ${quoted(partsOf(value).key)}`,
  },
};

/** Fields whose values can be counted by the bridge. */
export const COUNTABLE: readonly Field[] = FIELDS.filter((field) => field !== "subject");

export function labelOf(field: Field): string {
  return WORDS[field].label;
}

/** Only events with this value, beside the values that are wanted already. */
export function onlyWith(selection: Selection, field: Field, value: string): Changes {
  const { list, term } = WORDS[field];
  if (list === undefined) return { filter: andFilter(selection.filter, term(value)) };
  return { [list]: [...new Set([...selection[list], value])].join() };
}

/** No event with this value. */
export function without(selection: Selection, field: Field, value: string): Changes {
  const { list, term } = WORDS[field];
  if (list !== undefined && selection[list].includes(value)) return dropped(selection, list, value);
  return { filter: andFilter(selection.filter, negated(term(value))) };
}

/** Takes it in or out of the values that are wanted. */
export function toggled(selection: Selection, field: Field, value: string): Changes {
  const { list } = WORDS[field];
  if (list !== undefined && selection[list].includes(value)) return dropped(selection, list, value);
  return onlyWith(selection, field, value);
}

export function isWanted(selection: Selection, field: Field, value: string): boolean {
  const { list } = WORDS[field];
  return list !== undefined && selection[list].includes(value);
}

/** All that narrows what is shown, but for the expression, which stands in its own place. */
export function conditionsOf(selection: Selection): Condition[] {
  const lists = FIELDS.flatMap((field) => {
    const { list, label } = WORDS[field];
    if (list === undefined) return [];
    return selection[list].map((value) => ({
      key: `${field}=${value}`,
      label,
      value: shownValue(field, value),
      without: dropped(selection, list, value),
    }));
  });
  const { minSeverity } = selection;
  return minSeverity === ""
    ? lists
    : [
        { key: "minSeverity", label: "At least", value: minSeverity, without: { minSeverity: null } },
        ...lists,
      ];
}

export function shownValue(field: Field, value: string): string {
  if (field !== "subject") return shortName(value);
  const { resource, key } = partsOf(value);
  return `${resource} ${shortName(key)}`;
}

function dropped(selection: Selection, list: ListName, value: string): Changes {
  return { [list]: selection[list].filter((other) => other !== value).join() };
}

/** `a == b` reads better as `a != b` than with `not` before it. */
function negated(term: string): string {
  return term.includes(" == ") ? term.replace(" == ", " != ") : term.replace(" in ", " not in ");
}
