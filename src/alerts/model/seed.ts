import type { JsonObject } from "../../schemas/json.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import { scopeName, type Scope } from "../../schemas/scope.ts";
import { groupOf } from "./job.ts";
import { jobKey, Model } from "./model.ts";
import type { ScopeRecord, SubjectRef } from "./subject.ts";
import { read } from "./take.ts";

/** All objects that there are at one moment, and which scopes cannot be trusted then: of those the objects are old. */
export interface ConsistentRead {
  readonly objects: Iterable<{ readonly ref: ObjectRef; readonly stub: JsonObject }>;
  readonly troubles: readonly {
    /** Null: the whole feed. */
    readonly scope: Scope | null;
    readonly state: NonNullable<ScopeRecord["trouble"]>["state"];
    readonly reason: string;
  }[];
}

/**
 * The model of a read. `subjects`, which alerts are about, are in it even where nothing is known of them: what is no more
 * is marked so.
 */
export function modelOfRead({ objects, troubles }: ConsistentRead, subjects: readonly SubjectRef[]): Model {
  const model = new Model();
  const present = new Set<string>();
  for (const { scope, state, reason } of troubles) {
    const name = scope === null ? "feed" : scopeName(scope);
    model.scope(name, scope?.resource ?? null, scope?.namespace ?? "*").trouble = { state, reason };
  }
  for (const { ref, stub } of objects) {
    present.add(`${ref.resource}/${ref.namespace}/${ref.key}`);
    read(model, ref, stub);
  }
  for (const ref of subjects) mark(model, ref, present);
  return model;
}

function mark(model: Model, ref: SubjectRef, present: ReadonlySet<string>): void {
  if (ref.kind === "node") model.node(ref.node).isGone = !present.has(`nodes/-/${ref.node}`);
  else if (ref.kind === "scope") model.scope(ref.scope, null, "-");
  else markJob(model, ref, present);
}

function markJob(
  model: Model,
  ref: SubjectRef & { kind: "job" | "group" },
  present: ReadonlySet<string>,
): void {
  const job = model.job(ref.namespace, ref.job);
  if (ref.kind === "group") groupOf(job, ref.group);
  const isPresent = present.has(`jobs/${jobKey(ref.namespace, ref.job)}`);
  model.setJobGone(ref.namespace, ref.job, isPresent ? undefined : "gone");
  // There is always one namespace, "default", for whoever may list them.
  const isListed = present.has("namespaces/-/default");
  model.setNamespaceGone(ref.namespace, isListed && !present.has(`namespaces/-/${ref.namespace}`));
}
