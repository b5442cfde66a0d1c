import { SEVERITIES } from "../../words/severity.ts";

/** Something that can stand at a place of an expression. */
export interface Suggestion {
  readonly insert: string;
  readonly kind: "selector" | "operator" | "value" | "word";
  /** What it is, in a few words. */
  readonly about?: string;
}

export interface Completion {
  /** What the chosen suggestion replaces, as indexes of the text. */
  readonly from: number;
  readonly to: number;
  readonly suggestions: readonly Suggestion[];
}

/** Values of a selector that events have; none where they are not known. */
export type KnownValues = (selector: string) => readonly string[];

const SELECTORS: readonly (readonly [selector: string, about: string])[] = [
  ["ClientStatus", "of an allocation"],
  ["Status", "of a job, node, deployment, evaluation"],
  ["JobID", "the job's id"],
  ["resource.job", "job of the object"],
  ["resource.node", "node of the object"],
  ["resource.group", "task group"],
  ["resource.namespace", "its namespace"],
  ["resource.type", "kind of object"],
  ["resource.name", "its name"],
  ["resource.id", "its id"],
  ["severity", "TRACE to FATAL"],
  ["signals", "what happened, by name"],
  ["op", "create, update, delete, version"],
  ["aspect", "spec, status, summary …"],
  ["changes", "what changed, by path"],
  ["type", "of the event"],
  ["DesiredStatus", "of an allocation"],
  ["NodeName", "of an allocation"],
  ["TaskStates", "of an allocation, by task"],
  ["StatusDescription", "why it is so"],
  ["TriggeredBy", "of an evaluation"],
  ["Datacenter", "of a node"],
  ["NodeClass", "of a node"],
  ["SchedulingEligibility", "of a node"],
  ["Drain", "of a node"],
  ["Priority", "of a job, an evaluation"],
  ["Version", "of a job"],
];

const FIXED: Readonly<Record<string, readonly string[]>> = {
  severity: SEVERITIES,
  op: ["create", "update", "delete", "snapshot", "version"],
  aspect: ["spec", "status", "summary", "placement", "meta"],
  "resource.type": ["jobs", "nodes", "allocations", "deployments", "evaluations", "namespaces"],
  ClientStatus: ["pending", "running", "complete", "failed", "lost", "unknown"],
  DesiredStatus: ["run", "stop", "evict"],
  Status: [
    "pending",
    "running",
    "dead",
    "ready",
    "down",
    "successful",
    "failed",
    "blocked",
    "complete",
    "paused",
  ],
  SchedulingEligibility: ["eligible", "ineligible"],
  Drain: ["true", "false"],
  changes: ["/ClientStatus", "/Status", "/DesiredStatus", "/Version", "/Meta", "/Drain", "/TaskStates"],
};

const OPERATORS: readonly (readonly [operator: string, about: string])[] = [
  ["==", "equals"],
  ["!=", "does not equal"],
  ["contains", "has such a part or element"],
  ["matches", "a regular expression matches"],
  ["not contains", ""],
  ["not matches", ""],
  ["is empty", ""],
  ["is not empty", ""],
  ["in", "<value> in <list>"],
];

const TOKEN = /"(?:[^"\\]|\\.)*"?|`[^`]*`?|[()]|[=!]=?|[^\s()=!"`]+/g;
const MOST = 40;

type Expected = "term" | "operator" | "value" | "is" | "joiner";

/** What can stand where the caret is. */
export function completionAt(text: string, caret: number, known: KnownValues): Completion {
  const before = [...text.slice(0, caret).matchAll(TOKEN)];
  const last = before.at(-1);
  const isInside = last !== undefined && last.index + last[0].length === caret && !/^[()]$/.test(last[0]);
  const current = isInside ? last : undefined;
  const { expected, selector } = placeAfter(
    before.slice(0, isInside ? -1 : undefined).map(([token]) => token),
  );
  const from = current?.index ?? caret;
  const typed = (current?.[0] ?? "").replace(/^["`]/, "").toLowerCase();
  const all = suggestionsFor(expected, selector, known);
  const matching = all.filter(({ insert }) => insert.toLowerCase().replace(/^"/, "").includes(typed));
  const exact = matching.length === 1 && matching[0]?.insert === current?.[0];
  const sorted = matching.toSorted((a, b) => startsWith(b, typed) - startsWith(a, typed));
  return { from, to: caret, suggestions: exact ? [] : sorted.slice(0, MOST) };
}

function startsWith({ insert }: Suggestion, typed: string): number {
  return insert.toLowerCase().replace(/^"/, "").startsWith(typed) ? 1 : 0;
}

function placeAfter(tokens: readonly string[]): { expected: Expected; selector: string } {
  let expected: Expected = "term";
  let selector = "";
  for (const token of tokens) {
    switch (expected) {
      case "term":
        if (token === "not" || token === "(") break;
        selector = token;
        expected = "operator";
        break;
      case "operator":
        if (token === "not") break;
        expected = token === "is" ? "is" : "value";
        // `"allocation.failed" in signals`: the list stands behind.
        if (token === "in") selector = "in";
        break;
      case "is":
        if (token !== "not") expected = "joiner";
        break;
      case "value":
        expected = "joiner";
        break;
      case "joiner":
        if (token === "and" || token === "or") expected = "term";
        break;
      default:
        expected satisfies never;
    }
  }
  return { expected, selector };
}

function suggestionsFor(expected: Expected, selector: string, known: KnownValues): Suggestion[] {
  switch (expected) {
    case "term":
      return [
        ...SELECTORS.map(([insert, about]): Suggestion => ({ insert, about, kind: "selector" })),
        ...known("signals").map((signal): Suggestion => ({
          insert: `${JSON.stringify(signal)} in signals`,
          about: "signal",
          kind: "value",
        })),
        { insert: "not", kind: "word" },
        { insert: "(", kind: "word" },
      ];
    case "operator":
      return OPERATORS.map(([insert, about]): Suggestion => ({ insert, about, kind: "operator" }));
    case "is":
      return ["empty", "nil", "not"].map((insert): Suggestion => ({ insert, kind: "word" }));
    case "value": {
      if (selector === "in") {
        return ["signals", "changes", "changes.path"].map((insert): Suggestion => ({
          insert,
          kind: "selector",
        }));
      }
      const values = new Set([...known(selector), ...(FIXED[selector] ?? [])]);
      return [...values].map((value): Suggestion => ({ insert: JSON.stringify(value), kind: "value" }));
    }
    case "joiner":
      return ["and", "or"].map((insert): Suggestion => ({ insert, kind: "word" }));
    default:
      return expected satisfies never;
  }
}

/** The text with the suggestion in its place, and where the caret is then. */
export function completed(
  text: string,
  { from, to }: Completion,
  { insert }: Suggestion,
): { text: string; caret: number } {
  const after = text.slice(to).replace(/^\s+/, "");
  const head = `${text.slice(0, from)}${insert} `;
  return { text: `${head}${after}`, caret: head.length };
}
