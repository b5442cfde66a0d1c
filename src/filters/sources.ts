import type { EventFacts } from "../schemas/draft.ts";
import { isJsonObject, objectOf, type Json, type JsonObject } from "../schemas/json.ts";
import type { Budget } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Selector } from "./expression.ts";
import { isObjectMember } from "./selectors.ts";
import { memberOf } from "./values.ts";

/** What the event does not say: it is too large to hold its object, or a control event, which has none. */
export const UNKNOWN = Symbol("unknown");

/** Undefined: the event says that there is none. */
type Found = Json | undefined | typeof UNKNOWN;

export interface Source {
  /** Whether the event must be parsed for it. */
  readonly needsData: boolean;
  readonly read: (evaluation: Evaluation) => Found;
  /** Whether there may be more than was found: the event was cut. */
  readonly isCut?: (evaluation: Evaluation) => boolean;
}

type FactName = "op" | "type" | "aspect" | "severity";

export function sourceOf({ path, slot }: Selector): Source {
  const [root = "", ...members] = path;
  if (slot !== undefined) {
    return { needsData: false, read: (evaluation) => walk(evaluation.slots[slot], members, evaluation) };
  }
  if (isObjectMember(root)) return objectSource(path);
  switch (root) {
    case "resource":
      return resourceSource(members[0] ?? "");
    case "signals":
      return factSource((facts, evaluation) =>
        isControl(facts) ? UNKNOWN : walk(facts.signals as string[], members, evaluation),
      );
    case "actor":
      return dataSource((data, evaluation) => walk(data["actor"], members, evaluation));
    case "changes":
      return changesSource(members);
    case "after":
    case "before":
      return stubSource(root, members);
    default:
      return factSource((facts) => factOf(facts, root as FactName));
  }
}

function factSource(read: (facts: EventFacts, evaluation: Evaluation) => Found): Source {
  return { needsData: false, read: (evaluation) => read(evaluation.facts, evaluation) };
}

/** Type and severity are those of the event; op and aspect are of a change only. */
function factOf(facts: EventFacts, name: FactName): Found {
  if (name === "type" || name === "severity") return facts[name];
  return isControl(facts) ? UNKNOWN : (facts[name] ?? undefined);
}

/** Such an event has no object. It speaks of a scope, or of the whole feed. */
function isControl(facts: EventFacts): boolean {
  return facts.op === null;
}

function resourceSource(member: string): Source {
  switch (member) {
    case "type":
      return factSource(({ resource }) => resource ?? UNKNOWN);
    case "namespace":
      return factSource((facts) =>
        isControl(facts) && facts.namespace === "*" ? UNKNOWN : (facts.namespace ?? UNKNOWN),
      );
    case "id":
      return factSource(({ key }) => key ?? UNKNOWN);
    case "job":
    case "node":
      return factSource((facts) => (isControl(facts) ? UNKNOWN : (facts[member] ?? undefined)));
    default:
      return dataSource((data, evaluation) => walk(data["resource"], [member], evaluation));
  }
}

function dataSource(read: (data: JsonObject, evaluation: Evaluation) => Found): Source {
  return {
    needsData: true,
    read: (evaluation) => {
      if (isControl(evaluation.facts)) return UNKNOWN;
      return read(evaluation.data(), evaluation);
    },
  };
}

/** The object as it is now, or as it last was. Of a version that no poll saw only what names the job is known. */
function objectSource(path: readonly string[]): Source {
  return dataSource((data, evaluation) => {
    const { op } = evaluation.facts;
    if (op === "version") return path.length === 1 ? nameIn(evaluation.facts, data, path[0]) : undefined;
    return stubMember(data, op === "delete" ? "before" : "after", path, evaluation);
  });
}

function nameIn({ key, namespace }: EventFacts, data: JsonObject, member: string | undefined): Found {
  if (member === "ID") return key ?? undefined;
  if (member === "Namespace") return namespace ?? undefined;
  return member === "Name" ? objectOf(data["resource"])["name"] : undefined;
}

/** Only a deletion has a before, and it has no after. A version that no poll saw has neither. */
function stubSource(root: "after" | "before", members: readonly string[]): Source {
  return dataSource((data, evaluation) => {
    const { op } = evaluation.facts;
    const hasIt = op !== "version" && (op === "delete") === (root === "before");
    return hasIt ? stubMember(data, root, members, evaluation) : undefined;
  });
}

/** The stub leaves an event that is too large. */
function stubMember(
  data: JsonObject,
  root: "after" | "before",
  members: readonly string[],
  budget: Budget,
): Found {
  const stub = data[root];
  return isJsonObject(stub) ? walk(stub, members, budget) : UNKNOWN;
}

/** `changes` itself, an element of it, or with `changes.path` the list of its paths. */
function changesSource(members: readonly string[]): Source {
  const read =
    members.length === 1 && members[0] === "path"
      ? (data: JsonObject, budget: Budget) => pathsOf(data["changes"], budget)
      : (data: JsonObject, budget: Budget) => walk(data["changes"], members, budget);
  return {
    ...dataSource(read),
    isCut: (evaluation) =>
      !isControl(evaluation.facts) && evaluation.data()["changesTruncated"] !== undefined,
  };
}

function pathsOf(changes: Json | undefined, budget: Budget): Json | undefined {
  if (!Array.isArray(changes)) return undefined;
  budget.spend(changes.length);
  return changes.flatMap((change) => (isJsonObject(change) ? (change["path"] ?? []) : []));
}

function walk(value: Json | undefined, members: readonly string[], budget: Budget): Json | undefined {
  let found = value;
  for (const member of members) {
    if (found === undefined) return undefined;
    budget.spend(1);
    found = memberOf(found, member);
  }
  return found ?? undefined;
}
