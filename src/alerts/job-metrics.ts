import type { JsonObject } from "../schemas/json.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import { familyOf } from "./model/allocation.ts";
import { FoldedEvent, type LoggedEvent } from "./model/folded-event.ts";
import type { ConsistentRead } from "./model/seed.ts";
import { inside, membersOf, textInside, textOf } from "./model/stub.ts";
import { restartsIn } from "./model/take-allocation.ts";

/** What is counted of a group. */
export interface GroupCounts {
  restarts: number;
  oomKills: number;
  failedAllocations: number;
  reschedules: number;
}

const OUTCOMES = ["successful", "failed", "cancelled"] as const;
type DeploymentOutcome = (typeof OUTCOMES)[number];

/** Upper bounds of the buckets that durations of deployments are counted in, seconds. */
const DURATION_BUCKETS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200] as const;

/** What is counted of a job. Durations are seconds. */
export interface JobCounts {
  readonly groups: Record<string, GroupCounts>;
  readonly deployments: Record<DeploymentOutcome, number>;
  /** How many deployments ended within each bucket's bound and not within the one before; the last has no bound. */
  readonly durations: number[];
  durationSum: number;
  /** That its evaluations were blocked, the present ones up to when it is asked. */
  blockedSeconds: number;
  /** When an allocation of a batch job completed last, seconds since 1970; null: not yet. */
  lastSuccess: number | null;
}

/** Seconds, the present times up to when it is asked. */
export interface NodeCounts {
  downSeconds: number;
  drainSeconds: number;
}

/** Something that goes on since then, ms since 1970. */
interface Span {
  readonly job: string;
  readonly since: number;
}

interface NodeSpans extends NodeCounts {
  downSince: number | null;
  drainSince: number | null;
}

/** What a fold knows, as plain data: JSON keeps it whole. */
export interface JobMetricsState {
  readonly version: 1;
  readonly jobs: readonly (readonly [string, JobCounts])[];
  readonly deployments: readonly (readonly [string, Span])[];
  readonly blocked: readonly (readonly [string, Span])[];
  readonly nodes: readonly (readonly [string, NodeSpans])[];
}

/** Where everything of jobs is counted that have no counts of their own: too many jobs, or one that is not known. */
export const OTHER = "other";

/**
 * Counts by job and group that begin at 0 with the job, go on for as long as it is there, and are the same however the
 * events are cut into calls. A job is `<namespace>/<name>`, of a periodic or dispatched child its parent; `other` are the
 * jobs beyond the bound. Events are dated by when the feed saw them.
 */
export class JobMetricsFold {
  readonly #maxJobs: number;
  readonly #jobs: Map<string, JobCounts>;
  /** Deployments and blocked evaluations that go on, by id. */
  readonly #deployments: Map<string, Span>;
  readonly #blocked: Map<string, Span>;
  readonly #nodes: Map<string, NodeSpans>;

  /** @param state of a fold before; it is taken over. */
  constructor(maxJobs: number, state?: JobMetricsState) {
    this.#maxJobs = maxJobs;
    this.#jobs = new Map(state?.jobs);
    if (!this.#jobs.has(OTHER)) this.#jobs.set(OTHER, newJob([OTHER]));
    this.#deployments = new Map(state?.deployments);
    this.#blocked = new Map(state?.blocked);
    this.#nodes = new Map(state?.nodes);
  }

  get state(): JobMetricsState {
    return {
      version: 1,
      jobs: [...this.#jobs],
      deployments: [...this.#deployments],
      blocked: [...this.#blocked],
      nodes: [...this.#nodes],
    };
  }

  /** What was counted up to `now`, ms since 1970. */
  counts(now: number): { jobs: Map<string, JobCounts>; nodes: Map<string, NodeCounts> } {
    const jobs = new Map([...this.#jobs].map(([key, counts]) => [key, { ...counts }]));
    for (const { job, since } of this.#blocked.values()) {
      const counts = jobs.get(this.#keyOf(job));
      if (counts !== undefined) counts.blockedSeconds += secondsBetween(since, now);
    }
    const nodes = new Map([...this.#nodes].map(([id, node]) => [id, nodeAt(node, now)]));
    return { jobs, nodes };
  }

  apply(facts: LoggedEvent): void {
    const event = new FoldedEvent(facts);
    const { resource, op } = facts;
    if (op === null) return;
    if (resource === "jobs") this.#takeJob(event);
    else if (resource === "allocations") this.#takeAllocation(event);
    else if (resource === "deployments") this.#takeDeployment(event);
    else if (resource === "evaluations") this.#takeEvaluation(event);
    else if (resource === "nodes") this.#takeNode(event);
  }

  /**
   * Takes over which objects there are at `at`, as where the events since the last are gone: what was counted stays, and
   * what happened meanwhile is not counted. Of what goes on that was not known to, the time counts from `at`.
   */
  seed({ objects }: Pick<ConsistentRead, "objects">, at: number): void {
    const present = new Set<string>();
    const jobs: { readonly ref: ObjectRef; readonly stub: JsonObject }[] = [];
    for (const { ref, stub } of objects) {
      present.add(`${ref.resource}/${ref.resource === "jobs" ? `${ref.namespace}/` : ""}${ref.key}`);
      if (ref.resource === "jobs") jobs.push({ ref, stub });
      else this.#takeStub(ref, stub, at);
    }
    for (const key of this.#jobs.keys())
      if (key !== OTHER && !present.has(`jobs/${key}`)) this.#jobs.delete(key);
    // Those that are gone make room.
    for (const { ref, stub } of jobs) this.#know(ref.namespace, ref.key, stub);
    for (const id of this.#deployments.keys())
      if (!present.has(`deployments/${id}`)) this.#deployments.delete(id);
    for (const id of this.#blocked.keys()) if (!present.has(`evaluations/${id}`)) this.#unblock(id, at);
    for (const id of this.#nodes.keys()) if (!present.has(`nodes/${id}`)) this.#nodes.delete(id);
  }

  #takeStub({ resource, key }: ObjectRef, stub: JsonObject, at: number): void {
    if (resource === "nodes") this.#setNode(key, stub, at);
    else if (resource === "evaluations") this.#setBlocked(key, stub, at);
    else if (resource === "deployments") this.#setDeployment(key, stub, at);
  }

  #takeJob(event: FoldedEvent): void {
    const { namespace, key } = event;
    if (familyOf(key) !== key) return;
    if (event.facts.op === "delete") this.#jobs.delete(jobKey(namespace, key));
    else if (event.after !== undefined) this.#know(namespace, key, event.after);
  }

  /** Its series begin at 0, where there is room for it. */
  #know(namespace: string, id: string, stub: JsonObject): void {
    if (familyOf(id) !== id) return;
    const key = jobKey(namespace, id);
    const known = this.#jobs.get(key);
    if (known === undefined && this.#jobs.size > this.#maxJobs) return;
    const counts = known ?? newJob([]);
    for (const [group] of membersOf(inside(stub, "JobSummary", "Summary")))
      counts.groups[group] ??= newGroup();
    this.#jobs.set(key, counts);
  }

  #takeAllocation(event: FoldedEvent): void {
    const { op, job, namespace } = event.facts;
    if (op === "delete" || op === "snapshot" || event.facts.signals.length === 0) return;
    const key = jobKey(namespace ?? "-", job ?? "");
    const group = this.#group(key, textInside(event.data, "resource", "group"));
    if (event.has("task.restarted")) group.restarts += restartsIn(event);
    if (event.has("task.oom_killed")) group.oomKills += 1;
    if (event.has("allocation.failed")) group.failedAllocations += 1;
    if (event.has("allocation.rescheduled")) group.reschedules += 1;
    if (event.has("allocation.completed") && isBatch(event.after))
      this.#countsOf(key).lastSuccess = event.at / 1000;
  }

  #takeDeployment(event: FoldedEvent): void {
    const id = event.key;
    if (event.facts.op === "delete") this.#deployments.delete(id);
    const stub = event.after;
    if (stub === undefined) return;
    this.#setDeployment(id, stub, event.at);
    const outcome = OUTCOMES.find((name) => name === stub["Status"]);
    if (outcome === undefined || !event.has(...ENDS)) return;
    const counts = this.#countsOf(jobKey(event.namespace, textOf(stub, "JobID")));
    counts.deployments[outcome] += 1;
    const begun = this.#deployments.get(id);
    this.#deployments.delete(id);
    if (begun !== undefined) countDuration(counts, secondsBetween(begun.since, event.at));
  }

  #setDeployment(id: string, stub: JsonObject, at: number): void {
    const isOver = OUTCOMES.some((name) => name === stub["Status"]);
    if (isOver || this.#deployments.has(id)) return;
    this.#deployments.set(id, { job: jobKey(textOf(stub, "Namespace"), textOf(stub, "JobID")), since: at });
  }

  #takeEvaluation(event: FoldedEvent): void {
    if (event.facts.op === "delete") this.#unblock(event.key, event.at);
    else if (event.after !== undefined) this.#setBlocked(event.key, event.after, event.at);
  }

  #setBlocked(id: string, stub: JsonObject, at: number): void {
    if (stub["Status"] !== "blocked") this.#unblock(id, at);
    else if (!this.#blocked.has(id))
      this.#blocked.set(id, { job: jobKey(textOf(stub, "Namespace"), textOf(stub, "JobID")), since: at });
  }

  #unblock(id: string, at: number): void {
    const span = this.#blocked.get(id);
    if (span === undefined) return;
    this.#blocked.delete(id);
    this.#countsOf(span.job).blockedSeconds += secondsBetween(span.since, at);
  }

  #takeNode(event: FoldedEvent): void {
    if (event.facts.op === "delete") this.#nodes.delete(event.key);
    else if (event.after !== undefined) this.#setNode(event.key, event.after, event.at);
  }

  #setNode(id: string, stub: JsonObject, at: number): void {
    const node = this.#nodes.get(id) ?? {
      downSeconds: 0,
      drainSeconds: 0,
      downSince: null,
      drainSince: null,
    };
    const { downSeconds, drainSeconds } = nodeAt(node, at);
    const isDown = stub["Status"] === "down" || stub["Status"] === "disconnected";
    const [downSince, drainSince] = [isDown ? at : null, stub["Drain"] === true ? at : null];
    this.#nodes.set(id, { downSeconds, drainSeconds, downSince, drainSince });
  }

  #keyOf(job: string): string {
    return this.#jobs.has(job) ? job : OTHER;
  }

  #countsOf(job: string): JobCounts {
    const counts = this.#jobs.get(this.#keyOf(job));
    if (counts === undefined) throw new Error("there is always a place for other jobs");
    return counts;
  }

  #group(job: string, name: string): GroupCounts {
    const { groups } = this.#countsOf(job);
    return (groups[this.#jobs.has(job) ? name : OTHER] ??= newGroup());
  }
}

const ENDS = ["deployment.succeeded", "deployment.failed", "deployment.cancelled"];

function newJob(groups: readonly string[]): JobCounts {
  return {
    groups: Object.fromEntries(groups.map((name) => [name, newGroup()])),
    deployments: { successful: 0, failed: 0, cancelled: 0 },
    durations: Array.from({ length: DURATION_BUCKETS.length + 1 }, () => 0),
    durationSum: 0,
    blockedSeconds: 0,
    lastSuccess: null,
  };
}

function newGroup(): GroupCounts {
  return { restarts: 0, oomKills: 0, failedAllocations: 0, reschedules: 0 };
}

function nodeAt({ downSeconds, drainSeconds, downSince, drainSince }: NodeSpans, now: number): NodeCounts {
  return {
    downSeconds: downSeconds + secondsBetween(downSince ?? now, now),
    drainSeconds: drainSeconds + secondsBetween(drainSince ?? now, now),
  };
}

function countDuration(counts: JobCounts, seconds: number): void {
  const bucket = DURATION_BUCKETS.findIndex((bound) => seconds <= bound);
  const position = bucket === -1 ? DURATION_BUCKETS.length : bucket;
  counts.durations[position] = (counts.durations[position] ?? 0) + 1;
  counts.durationSum += seconds;
}

const isBatch = (stub: JsonObject | undefined): boolean =>
  stub?.["JobType"] === "batch" || stub?.["JobType"] === "sysbatch";

function secondsBetween(since: number, now: number): number {
  return Math.max(0, now - since) / 1000;
}

function jobKey(namespace: string, id: string): string {
  return `${namespace}/${familyOf(id)}`;
}
