import type { Change, Stub } from "../schemas/change.ts";
import { actorIn } from "./actor.ts";
import type { Aspect, EventDraft, Op } from "../schemas/draft.ts";
import type { Enrichment } from "../schemas/event-schema.ts";
import { placementReasons } from "../schemas/placement.ts";
import { createIndexOf, revOf, type ObjectRef } from "../schemas/resources.ts";
import type { Severity } from "../schemas/severity.ts";
import { aspectOf, existenceAspect } from "./aspects.ts";
import { assembled } from "./assembled.ts";
import type { EventContext } from "./context.ts";
import { changeId, snapshotId } from "./ids.ts";
import { diffJson, type JsonChange } from "./json-diff.ts";
import { observedOf } from "./observed.ts";
import { severityOf, signalsOf } from "./signals.ts";
import { skippedEvents } from "./skipped-versions.ts";
import { timeOf } from "./time.ts";

export type { EventContext } from "./context.ts";

/**
 * The events of one object's change: one, or two (deleted, then created) where the object is another one than
 * before under the same key. Versions that it passed over come right before the event that shows the newest.
 */
export function buildChangeEvents(change: Change, context: EventContext): EventDraft[] {
  const actor = actorIn(change);
  const { skipped = [], ...beside } = context.found?.get(change) ?? {};
  const found = { ...beside, ...(actor && { actor }) };
  if (change.op === "delete") return [buildOne(change, context, found)];
  const passed = skippedEvents(change, skipped, context);
  if (change.op !== "update" || !isReplacement(change.before, change.after))
    return [...passed, buildOne(change, context, found)];
  const { ref, before, after } = change;
  return [
    buildOne({ op: "delete", ref, before }, context, {}),
    ...passed,
    buildOne({ op: "create", ref, after }, context, found),
  ];
}

/** The event that says an object was there when the feed polled first. */
export function buildSnapshotEvent(ref: ObjectRef, stub: Stub, context: EventContext): EventDraft {
  return draft({
    op: "snapshot",
    ref,
    after: stub,
    id: snapshotId(ref, stub, context),
    aspect: existenceAspect(ref.resource),
    signals: [],
    severity: "INFO",
    changes: undefined,
    found: {},
    context,
  });
}

/** What the log's state keeps to tell this version of the object from others; "" where the stub has no index. */
export function stateRevOf(change: Change): string {
  return revOf((change.after ?? change.before).value) ?? "";
}

/** In the order of Nomad's history as far as it can be told: by rev ascending, deletes (which have none) last. */
export function orderChanges(changes: readonly Change[]): Change[] {
  const keyed = changes.map((change) => ({ change, rev: BigInt(stateRevOf(change) || "0") }));
  const compare = (a: (typeof keyed)[number], b: (typeof keyed)[number]): number => {
    if (a.change.op === "delete" || b.change.op === "delete") {
      return Number(a.change.op === "delete") - Number(b.change.op === "delete");
    }
    return a.rev < b.rev ? -1 : Number(a.rev > b.rev);
  };
  return keyed.toSorted(compare).map(({ change }) => change);
}

function isReplacement(before: Stub, after: Stub): boolean {
  const [old, fresh] = [createIndexOf(before.value), createIndexOf(after.value)];
  return old !== undefined && fresh !== undefined && old !== fresh;
}

function buildOne(change: Change, context: EventContext, found: Enrichment): EventDraft {
  const changes = change.op === "update" ? diffJson(change.before.value, change.after.value) : undefined;
  const aspect =
    changes === undefined ? existenceAspect(change.ref.resource) : aspectOf(change.ref.resource, changes);
  const fired = signalsOf(change);
  return draft({
    ...change,
    id: changeId(change, context),
    aspect,
    signals: fired.map((signal) => signal.name),
    severity: severityOf(fired, aspect),
    changes,
    found,
    context,
  });
}

function draft(input: {
  op: Exclude<Op, "version">;
  ref: ObjectRef;
  before?: Stub;
  after?: Stub;
  id: string;
  aspect: Aspect;
  signals: readonly string[];
  severity: Severity;
  changes: readonly JsonChange[] | undefined;
  found: Enrichment;
  context: EventContext;
}): EventDraft {
  const { op, ref, before, after, context, ...rest } = input;
  const stub = (after ?? before)?.value ?? {};
  const explanation = ref.resource === "evaluations" ? placementReasons(stub).join("; ") : "";
  const { time, basis } = timeOf(input, context.observation.observedAt);
  return assembled({
    ...rest,
    op,
    ref,
    stub,
    time,
    explanation: explanation === "" ? undefined : explanation,
    // An update's before follows from its after and its changes.
    ...(op === "delete" ? { before } : { after }),
    rev: {
      current: op === "delete" ? null : (revOf(stub) ?? null),
      previous: before === undefined ? null : (revOf(before.value) ?? null),
      created: createIndexOf(stub) ?? null,
    },
    observed: observedOf(input, context, basis),
    context,
  });
}
