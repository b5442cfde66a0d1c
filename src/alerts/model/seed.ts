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
 * Makes the model of a read, object by object. `subjects`, which alerts are about, are in it even where nothing is known
 * of them: what is no more is marked so.
 */
export class Seeding {
  readonly #model = new Model();
  readonly #present = new Set<string>();

  constructor(troubles: ConsistentRead["troubles"]) {
    for (const { scope, state, reason } of troubles) {
      const name = scope === null ? "feed" : scopeName(scope);
      this.#model.scope(name, scope?.resource ?? null, scope?.namespace ?? "*").trouble = { state, reason };
    }
  }

  take(ref: ObjectRef, stub: JsonObject): void {
    this.#present.add(`${ref.resource}/${ref.namespace}/${ref.key}`);
    read(this.#model, ref, stub);
  }

  /** Once all objects were taken. */
  model(subjects: readonly SubjectRef[]): Model {
    for (const ref of subjects) mark(this.#model, ref, this.#present);
    for (const { namespace, id } of this.#model.jobs.values())
      markAbsence(this.#model, namespace, id, this.#present);
    return this.#model;
  }
}

/** Makes room for it, where nothing is known of it any more. */
function mark(model: Model, ref: SubjectRef, present: ReadonlySet<string>): void {
  if (ref.kind === "node") model.node(ref.node).isGone = !present.has(`nodes/-/${ref.node}`);
  else if (ref.kind === "scope") model.scope(ref.scope, null, "-");
  else if (ref.kind === "job") model.job(ref.namespace, ref.job);
  else groupOf(model.job(ref.namespace, ref.job), ref.group);
}

function markAbsence(model: Model, namespace: string, id: string, present: ReadonlySet<string>): void {
  const isPresent = present.has(`jobs/${jobKey(namespace, id)}`);
  model.setJobGone(namespace, id, isPresent ? undefined : "gone");
  // There is always one namespace, "default", for whoever may list them.
  const isListed = present.has("namespaces/-/default");
  model.setNamespaceGone(namespace, isListed && !present.has(`namespaces/-/${namespace}`));
}
