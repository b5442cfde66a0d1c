import type { ChangeCount, ChangeCounts, HistoryFacts } from "../feed/log.ts";
import { EVERYTHING, seesAll } from "../publishers/selection/access.ts";
import { createFactsFilter } from "../publishers/selection/event-filter.ts";
import type { CountedBy } from "../schemas/counts-schema.ts";
import { changeType, OPS } from "../schemas/draft.ts";
import type { CountsRequest } from "../schemas/read-queries.ts";
import { RESOURCE_TYPES, RESOURCES, type ResourceType } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";
import { rangesIn } from "./buckets.ts";
import { countEach, type CountParts, type CountWindow } from "./count-each.ts";

const OF_A_KIND: ReadonlySet<CountedBy> = new Set(["severity", "type", "namespace", "op"]);
/** To ask the log about more of them, in each bucket, costs more than to look at each event. */
const MAX_SCOPES = 1000;

/**
 * All changes of one kind together: where resource, namespace, op and severity tell whether a change is asked for, and
 * what it is counted by. Undefined elsewhere, and where the log cannot. What else there is, is still counted one by one:
 * control events, and changes of objects each of which is seen by other readers.
 */
export async function countKinds(parts: CountParts): Promise<CountWindow | undefined> {
  const { log, task, request, access, buckets, tally } = parts;
  const { changeCounts } = log;
  if (changeCounts === undefined || !isOfKinds(request)) return undefined;
  const mayPass = createFactsFilter(request.conditions, access);
  const each = grantedEach(parts);
  const mayHold = (scope: Scope) => !each.includes(scope.resource) && holdsSome(scope, mayPass);
  const scopes = await scopesOf(parts, changeCounts, mayHold);
  if (scopes === undefined) return undefined;
  const others = [
    countEach(parts, { op: null }),
    ...each.map((resource) => countEach(parts, { resource, control: "none" })),
  ];
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
    for (const count of others) yield* count(window);
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
  if (conditions.namespaces === undefined && by !== "namespace" && seesAll(access))
    return RESOURCE_TYPES.map((resource) => ({ resource, namespace: "*" })).filter(mayHold);
  const scopes: Scope[] = [];
  for await (const scope of counts.scopes()) {
    if (task.isOver) await task.nextSlice();
    if (mayHold(scope)) scopes.push(scope);
    if (scopes.length > MAX_SCOPES) return undefined;
  }
  return scopes;
}

/** Of what is asked for the resources whose objects the reader may see one by one. */
function grantedEach({ request, access }: CountParts): ResourceType[] {
  if (seesAll(access)) return [];
  const { namespaces: _, ...conditions } = request.conditions;
  const isAsked = createFactsFilter(conditions, EVERYTHING);
  return RESOURCE_TYPES.filter(
    (resource) =>
      RESOURCES[resource].grantedEach === true && holdsSome({ resource, namespace: "*" }, isAsked),
  );
}

function holdsSome(scope: Scope, mayPass: (facts: HistoryFacts) => boolean): boolean {
  return OPS.some((op) => mayPass(factsOf(scope, { op, severity: "FATAL" }, 0)));
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
