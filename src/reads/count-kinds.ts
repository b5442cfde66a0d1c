import type { HistoryFacts, StatePart } from "../feed/log.ts";
import { createFactsFilter } from "../publishers/selection/event-filter.ts";
import type { CountedBy } from "../schemas/counts-schema.ts";
import { changeType, OPS, type Op } from "../schemas/draft.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import type { Severity } from "../schemas/severity.ts";
import { rangesIn } from "./buckets.ts";
import { countEach, type CountParts, type CountWindow } from "./count-each.ts";

const OF_A_KIND: ReadonlySet<CountedBy> = new Set(["severity", "type", "namespace", "op"]);

/** Whether resource, namespace, op and severity of a change tell if it is asked for, and what it is counted by. */
export function isOfKinds({ conditions, by }: Pick<CountsRequest, "conditions" | "by">): boolean {
  const { aspects, signals, subjects, filters } = conditions;
  return OF_A_KIND.has(by) && [aspects, signals, subjects, filters].every((asked) => asked === undefined);
}

/**
 * All changes of one kind together, by what `isOfKinds` says; undefined where the log cannot. What there is little of is
 * still counted one by one: control events, and changes of namespaces, each of which is seen by other readers.
 */
export function countKinds(parts: CountParts): CountWindow | undefined {
  const { log, task, conditions, access, buckets, tally } = parts;
  const countChanges = log.countChanges?.bind(log);
  if (countChanges === undefined) return undefined;
  const mayPass = createFactsFilter(conditions, access);
  const includes = (part: StatePart) =>
    part.resource !== "namespaces" &&
    OPS.some((op) => mayPass(factsOf({ ...part, op, severity: "FATAL" }, 0)));
  const few = [countEach(parts, { op: null }), countEach(parts, { resource: "namespaces", control: "none" })];
  return async function* (window) {
    for (const range of rangesIn(buckets, window)) {
      for await (const kinds of countChanges({ ...range, includes })) {
        for (const kind of kinds) {
          const facts = factsOf(kind, range.before - 1);
          if (mayPass(facts)) tally.add(facts, kind.count);
        }
        if (task.isOver) await task.nextSlice();
        yield window.before;
      }
    }
    for (const count of few) yield* count(window);
  };
}

/** Of changes of one kind what they have in common; none has what `isOfKinds` does not ask for. */
function factsOf(
  { resource, namespace, op, severity }: StatePart & { op: Op; severity: Severity },
  sequence: number,
): HistoryFacts {
  const type = changeType(resource, op);
  const others = { key: null, aspect: null, signals: [], job: null, node: null };
  return { sequence, type, resource, namespace, op, severity, ...others };
}
