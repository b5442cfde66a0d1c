import type { ChangeCount, ChangeCounts, HistoryFacts } from "../feed/log.ts";
import { seesAll } from "../publishers/selection/access.ts";
import { createFactsFilter } from "../publishers/selection/event-filter.ts";
import type { CountedBy } from "../schemas/counts-schema.ts";
import { changeType, OPS } from "../schemas/draft.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import { RESOURCE_TYPES } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";
import { rangesIn } from "./buckets.ts";
import { countEach, type CountParts, type CountWindow } from "./count-each.ts";

const OF_A_KIND: ReadonlySet<CountedBy> = new Set(["severity", "type", "namespace", "op"]);
/** To ask the log about more of them, in each bucket, costs more than to look at each event. */
const MAX_SCOPES = 1000;

/**
 * All changes of one kind together: where resource, namespace, op and severity tell whether a change is asked for, and
 * what it is counted by. Undefined elsewhere, and where the log cannot. What there is little of is still counted one by
 * one: control events, and changes of namespaces, each of which is seen by other readers.
 */
export async function countKinds(parts: CountParts): Promise<CountWindow | undefined> {
  const { log, task, request, access, buckets, tally } = parts;
  const { changeCounts } = log;
  if (changeCounts === undefined || !isOfKinds(request)) return undefined;
  const mayPass = createFactsFilter(request.conditions, access);
  const mayHold = (scope: Scope) => OPS.some((op) => mayPass(factsOf(scope, { op, severity: "FATAL" }, 0)));
  const scopes = await scopesOf(parts, changeCounts, mayHold);
  if (scopes === undefined) return undefined;
  const few = [countEach(parts, { op: null }), countEach(parts, { resource: "namespaces", control: "none" })];
  return async function* (window) {
    for (const range of rangesIn(buckets, window)) {
      for (const scope of scopes) {
        for await (const kinds of changeCounts.count({ ...scope, ...range })) {
          for (const kind of kinds) {
            const facts = factsOf(scope, kind, range.before - 1);
            if (mayPass(facts)) tally.add(facts, kind.count);
          }
          if (task.isOver) await task.nextSlice();
          yield window.before;
        }
      }
    }
    for (const count of few) yield* count(window);
  };
}

function isOfKinds({ conditions, by }: CountsRequest): boolean {
  const { aspects, signals, subjects, filters } = conditions;
  return OF_A_KIND.has(by) && [aspects, signals, subjects, filters].every((asked) => asked === undefined);
}

/** What to count together; all namespaces where it is no matter which. Undefined: too many. */
async function scopesOf(
  { task, request: { conditions, by }, access }: CountParts,
  counts: ChangeCounts,
  mayHold: (scope: Scope) => boolean,
): Promise<Scope[] | undefined> {
  const isCounted = (scope: Scope) => scope.resource !== "namespaces" && mayHold(scope);
  if (conditions.namespaces === undefined && by !== "namespace" && seesAll(access))
    return RESOURCE_TYPES.map((resource) => ({ resource, namespace: "*" })).filter(isCounted);
  const scopes: Scope[] = [];
  for await (const scope of counts.scopes()) {
    if (task.isOver) await task.nextSlice();
    if (isCounted(scope)) scopes.push(scope);
    if (scopes.length > MAX_SCOPES) return undefined;
  }
  return scopes;
}

/** Of changes of one kind what they have in common; what `isOfKinds` does not ask for they have not. */
function factsOf(
  { resource, namespace }: Scope,
  { op, severity }: Pick<ChangeCount, "op" | "severity">,
  sequence: number,
): HistoryFacts {
  const type = changeType(resource, op);
  const others = { key: null, aspect: null, signals: [], job: null, node: null };
  return { sequence, type, resource, namespace, op, severity, ...others };
}
