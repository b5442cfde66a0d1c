import type { EventsQuery } from "nomad-changefeed-client";

/** Conditions that are lists of values, by their names in the address. */
const LISTS = ["types", "namespaces", "ops", "aspects", "signals", "subjects", "jobs", "nodes"] as const;
export type ListName = (typeof LISTS)[number];

/** Parameters of the address that say which events are shown. */
export const SELECTION = [...LISTS, "minSeverity", "filter"] as const;

/** Which events are shown, as the address has it. What is empty allows everything. */
export interface Selection extends Readonly<Record<ListName, readonly string[]>> {
  readonly minSeverity: string;
  readonly filter: string;
}

type Parts = "types" | "namespaces" | "ops" | "aspects" | "signals" | "subjects" | "minSeverity" | "filter";
export type SelectionQuery = Pick<EventsQuery, Parts>;

export function selectionOf(query: URLSearchParams): Selection {
  const lists = LISTS.map((name) => [name, listIn(query.get(name))] as const);
  return {
    ...(Object.fromEntries(lists) as Readonly<Record<string, string[]>> as Record<ListName, string[]>),
    minSeverity: query.get("minSeverity") ?? "",
    filter: query.get("filter") ?? "",
  };
}

/** What the bridge is asked for: jobs and nodes have no parameters of their own, but the language knows them. */
export function queryOf(selection: Selection): SelectionQuery {
  const { jobs, nodes, minSeverity, filter, ...lists } = selection;
  const given = Object.entries(lists).filter(([, values]) => values.length > 0);
  const filters = [oneOf("resource.job", jobs), oneOf("resource.node", nodes), filter.trim()].filter(Boolean);
  return {
    ...Object.fromEntries(given),
    ...(minSeverity !== "" && { minSeverity }),
    ...(filters.length > 0 && { filter: filters }),
  } as SelectionQuery;
}

export function isEverything(selection: Selection): boolean {
  return Object.keys(queryOf(selection)).length === 0;
}

/** A value as the filter language reads it. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

/** A further condition: all of them must hold. */
export function andFilter(filter: string, term: string): string {
  const before = filter.trim();
  if (before === "") return term;
  return `${/\bor\b/.test(before) ? `(${before})` : before} and ${term}`;
}

function oneOf(selector: string, values: readonly string[]): string {
  return values.map((value) => `${selector} == ${quoted(value)}`).join(" or ");
}

function listIn(text: string | null): string[] {
  return (text ?? "").split(",").filter(Boolean);
}
