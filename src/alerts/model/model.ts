import type { ResourceType } from "../../schemas/resources.ts";
import type { TroubledAllocation } from "./allocation.ts";
import {
  count,
  countFailing,
  groupOf,
  newJob,
  orNew,
  tidyJob,
  versionOf,
  versionsOf,
  type JobRecord,
} from "./job.ts";
import { isPlainNode, newNode, type NodeRecord } from "./node.ts";
import type { ScopeRecord, SubjectRef, Subjects } from "./subject.ts";
import { dateBack, forget } from "./window.ts";

/** Jobs and namespaces that are no more, of which something may still be heard. */
const MAX_GONE = 2000;

export type Gone = "purged" | "collected" | "gone";

/**
 * What alerts need to know of the cluster: all that something is wrong with, and nothing of the rest. It is as large as
 * the trouble is.
 */
export class Model {
  readonly jobs = new Map<string, JobRecord>();
  readonly nodes = new Map<string, NodeRecord>();
  readonly scopes = new Map<string, ScopeRecord>();
  readonly allocations = new Map<string, TroubledAllocation>();
  readonly goneJobs = new Map<string, Gone>();
  readonly goneNamespaces = new Map<string, true>();

  job(namespace: string, id: string): JobRecord {
    return orNew(this.jobs, jobKey(namespace, id), () => newJob(namespace, id));
  }

  knownJob(namespace: string, id: string): JobRecord | undefined {
    return this.jobs.get(jobKey(namespace, id));
  }

  node(id: string): NodeRecord {
    return orNew(this.nodes, id, () => newNode(id));
  }

  scope(name: string, resource: ResourceType | null, namespace: string): ScopeRecord {
    const make = (): ScopeRecord => ({ name, resource, namespace, trouble: undefined, gap: undefined });
    return orNew(this.scopes, name, make);
  }

  /** Keeps the allocation in place of what was known of it; undefined: nothing is wrong with it any more. */
  setAllocation(id: string, allocation: TroubledAllocation | undefined): void {
    const known = this.allocations.get(id);
    if (known !== undefined) this.#count(known, -1);
    // The order is that of what happened, here as in the counts: whoever goes on from a document has the same.
    this.allocations.delete(id);
    if (allocation === undefined) return;
    this.allocations.set(id, allocation);
    this.#count(allocation, 1);
  }

  #count(allocation: TroubledAllocation, by: 1 | -1): void {
    const { namespace, job, group, version, trouble, node } = allocation;
    if (trouble === "failing")
      countFailing(versionOf(groupOf(this.job(namespace, job), group), version), allocation, by);
    else count(this.node(node).allocations, trouble, by);
  }

  setJobGone(namespace: string, id: string, gone: Gone | undefined): void {
    setBounded(this.goneJobs, jobKey(namespace, id), gone);
  }

  setNamespaceGone(namespace: string, isGone: boolean): void {
    setBounded(this.goneNamespaces, namespace, isGone ? true : undefined);
  }

  /** Why there can be no alert about it: it is no more. */
  goneness(ref: SubjectRef): Gone | "namespace removed" | "node removed" | undefined {
    if (ref.kind === "node") return this.nodes.get(ref.node)?.isGone === true ? "node removed" : undefined;
    const namespace = ref.kind === "scope" ? this.scopes.get(ref.scope)?.namespace : ref.namespace;
    if (namespace !== undefined && this.goneNamespaces.has(namespace)) return "namespace removed";
    if (ref.kind === "scope") return undefined;
    return this.goneJobs.get(jobKey(ref.namespace, ref.job));
  }

  /** Whether the lists that say something of it are read, and up to date. */
  isTrusted(ref: SubjectRef, reads: readonly ResourceType[]): boolean {
    if (reads.length === 0) return true;
    const namespace = ref.kind === "group" || ref.kind === "job" ? ref.namespace : "-";
    return ![...this.scopes.values()].some(
      (scope) =>
        scope.trouble !== undefined &&
        (scope.resource === null || reads.includes(scope.resource)) &&
        (scope.namespace === "*" || namespace === scope.namespace),
    );
  }

  /** What is known of it, where anything is. */
  find<Kind extends SubjectRef["kind"]>(ref: SubjectRef & { kind: Kind }): Subjects[Kind] | undefined;
  find(ref: SubjectRef): Subjects[keyof Subjects] | undefined {
    if (ref.kind === "node") return wrap("node", this.nodes.get(ref.node));
    if (ref.kind === "scope") return wrap("scope", this.scopes.get(ref.scope));
    const job = this.knownJob(ref.namespace, ref.job);
    if (ref.kind === "job" || job === undefined) return wrap("job", job);
    const group = job.groups.get(ref.group);
    return group && { job, group };
  }

  /** All that something is known of; of a job its groups first. */
  *subjects(): Generator<SubjectRef> {
    for (const job of this.jobs.values()) yield* subjectsOf(job);
    for (const node of this.nodes.keys()) yield { kind: "node", node };
    for (const scope of this.scopes.keys()) yield { kind: "scope", scope };
  }

  /** The clock was ahead, and is set back to `now`: what happened later by it counts as if it happened now. */
  dateBack(now: number): void {
    for (const job of this.jobs.values())
      for (const { restarts, outOfMemory } of versionsOf(job)) {
        dateBack(restarts, now);
        dateBack(outOfMemory, now);
      }
    for (const { losses } of this.nodes.values()) dateBack(losses, now);
    for (const scope of this.scopes.values())
      if (scope.gap !== undefined) scope.gap = { ...scope.gap, at: Math.min(scope.gap.at, now) };
  }

  /**
   * Drops what says nothing any more of the subject, unless `isKept` says that somebody asks for it. What happened before
   * `horizon` (ms) is forgotten.
   */
  tidy(ref: SubjectRef, horizon: number, isKept: (ref: SubjectRef) => boolean): void {
    if (ref.kind === "node") this.#tidyNode(ref, horizon, isKept);
    else if (ref.kind === "scope") this.#tidyScope(ref, horizon, isKept);
    else this.#tidyJob(this.knownJob(ref.namespace, ref.job), horizon, isKept);
  }

  #tidyJob(job: JobRecord | undefined, horizon: number, isKept: (ref: SubjectRef) => boolean): void {
    if (job === undefined) return;
    for (const { restarts, outOfMemory } of versionsOf(job)) {
      forget(restarts, horizon);
      forget(outOfMemory, horizon);
    }
    const { namespace, id } = job;
    const isGone = this.goneJobs.has(jobKey(namespace, id));
    const isPlain = tidyJob(job, isGone, (group) => isKept({ kind: "group", namespace, job: id, group }));
    if (isPlain && !isKept({ kind: "job", namespace, job: id })) this.jobs.delete(jobKey(namespace, id));
  }

  #tidyNode(ref: SubjectRef & { kind: "node" }, horizon: number, isKept: (ref: SubjectRef) => boolean): void {
    const node = this.nodes.get(ref.node);
    if (node === undefined) return;
    forget(node.losses, horizon);
    if (isPlainNode(node) && !isKept(ref)) this.nodes.delete(node.id);
  }

  #tidyScope(
    ref: SubjectRef & { kind: "scope" },
    horizon: number,
    isKept: (ref: SubjectRef) => boolean,
  ): void {
    const scope = this.scopes.get(ref.scope);
    if (scope === undefined) return;
    if (scope.gap !== undefined && scope.gap.at <= horizon) scope.gap = undefined;
    if (scope.trouble === undefined && scope.gap === undefined && !isKept(ref))
      this.scopes.delete(scope.name);
  }
}

export function* subjectsOf({ namespace, id: job, groups }: JobRecord): Generator<SubjectRef> {
  for (const group of groups.keys()) yield { kind: "group", namespace, job, group };
  yield { kind: "job", namespace, job };
}

export function jobKey(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}

function wrap<Name extends string, Value>(name: Name, value: Value | undefined) {
  return value === undefined ? undefined : ({ [name]: value } as { [name in Name]: Value });
}

/** The oldest is forgotten where there are too many. */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  map.delete(key);
  if (value === undefined) return;
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_GONE && oldest !== undefined) map.delete(oldest);
}
