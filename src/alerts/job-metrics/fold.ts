import type { FoldedEvent } from "../model/folded-event.ts";
import { familyOf } from "../model/allocation.ts";
import { textInside } from "../model/stub.ts";
import { restartsIn } from "../model/take-allocation.ts";
import type { JsonObject } from "../../schemas/json.ts";
import {
  countDuration,
  groupOf,
  newJob,
  noteSuccess,
  secondsBetween,
  type JobCounts,
  type NodeCounts,
} from "./counts.ts";
import { NodeTimes, type NodeTimesState } from "./node-times.ts";
import type { JobMetricsSeeding } from "./seeding.ts";
import { isBatch, jobFacts, jobKey, jobKeyOf, nodeFacts, outcomeOf, type JobFacts } from "./stubs.ts";

/** Something of a job that goes on, and is counted up to then, ms since 1970. */
export interface Span {
  readonly job: string;
  readonly since: number;
}

/** What a fold knows. */
export interface JobMetricsState {
  readonly maxJobs: number;
  readonly jobs: readonly (readonly [string, JobCounts])[];
  readonly deployments: readonly (readonly [string, Span])[];
  readonly blocked: readonly (readonly [string, Span])[];
  readonly nodes: NodeTimesState;
}

/** What was counted up to a time. */
export interface AllCounts {
  readonly jobs: ReadonlyMap<string, JobCounts>;
  readonly nodes: ReadonlyMap<string, NodeCounts>;
}

/** Where everything is counted that has no counts of its own: what is beyond the bound, or not known. */
export const OTHER = "other";

const ENDS = ["deployment.succeeded", "deployment.failed", "deployment.cancelled"];

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
  readonly #nodes: NodeTimes;
  #needsSeed: boolean;

  /** @param state of a fold before; it is taken over. */
  constructor(maxJobs: number, state?: JobMetricsState) {
    const isSame = state?.maxJobs === maxJobs;
    this.#maxJobs = maxJobs;
    this.#jobs = new Map(isSame ? state.jobs : state?.jobs.slice(0, maxJobs + 1));
    const other = this.#jobs.get(OTHER) ?? newJob(false);
    groupOf(other, OTHER);
    this.#jobs.set(OTHER, other);
    this.#deployments = new Map(state?.deployments);
    this.#blocked = new Map(state?.blocked);
    this.#nodes = new NodeTimes(maxJobs, OTHER, isSame ? state.nodes : undefined);
    this.#needsSeed = !isSame;
  }

  /** Whether it does not know yet what there is. */
  get needsSeed(): boolean {
    return this.#needsSeed;
  }

  get state(): JobMetricsState {
    return {
      maxJobs: this.#maxJobs,
      jobs: [...this.#jobs],
      deployments: [...this.#deployments],
      blocked: [...this.#blocked],
      nodes: this.#nodes.state,
    };
  }

  /** Up to `now`, ms since 1970. */
  counts(now: number): AllCounts {
    const jobs = new Map([...this.#jobs].map(([key, counts]) => [key, { ...counts }]));
    for (const { job, since } of this.#blocked.values()) {
      const counts = jobs.get(this.#keyOf(job));
      if (counts !== undefined) counts.blockedSeconds += secondsBetween(since, now);
    }
    return { jobs, nodes: this.#nodes.at(now) };
  }

  apply(event: FoldedEvent): void {
    const { resource, op } = event.facts;
    if (op === null || op === "version") return;
    if (resource === "jobs") this.#takeJob(event);
    else if (resource === "allocations") this.#takeAllocation(event);
    else if (resource === "deployments") this.#takeDeployment(event);
    else if (resource === "evaluations") this.#takeEvaluation(event);
    else if (resource === "nodes") this.#takeNode(event);
  }

  /**
   * Takes over what there is at `at`, as where the events since the last are gone: what was counted stays, and what
   * happened meanwhile is not counted. Of what goes on that was not known to, the time counts from `at`.
   */
  seed({ jobs, nodes, deployments, blocked, successes }: JobMetricsSeeding, at: number): void {
    for (const id of this.#blocked.keys()) if (!blocked.has(id)) this.#unblock(id, at);
    for (const key of this.#jobs.keys()) if (key !== OTHER && !jobs.has(key)) this.#forget(key, at);
    // Those that are gone make room.
    for (const [key, facts] of jobs) this.#know(key, facts, at);
    for (const [job, success] of successes) if (this.#jobs.has(job)) noteSuccess(this.#of(job), success);
    for (const [id, job] of blocked) this.#begin(this.#blocked, id, { job, since: at });
    for (const id of this.#deployments.keys()) if (!deployments.has(id)) this.#deployments.delete(id);
    for (const [id, job] of deployments) this.#begin(this.#deployments, id, { job, since: at });
    this.#nodes.seed(nodes, at);
    this.#needsSeed = false;
  }

  #takeJob({ namespace, key: id, facts, after, at }: FoldedEvent): void {
    if (familyOf(id) !== id) return;
    if (facts.op === "delete") this.#forget(jobKey(namespace, id), at);
    else if (after !== undefined) this.#know(jobKey(namespace, id), jobFacts(after), at);
  }

  /** Its series begin at 0, where there is room for it. */
  #know(key: string, facts: JobFacts, at: number): void {
    const known = this.#jobs.get(key);
    if (known === undefined && this.#jobs.size > this.#maxJobs) return;
    if (known === undefined) this.#settle(key, at);
    const counts = known ?? newJob(facts.isBatch);
    counts.isBatch = facts.isBatch;
    for (const group of facts.groups) groupOf(counts, group);
    this.#jobs.set(key, counts);
  }

  #forget(key: string, at: number): void {
    if (!this.#jobs.has(key)) return;
    this.#settle(key, at);
    this.#jobs.delete(key);
  }

  #takeAllocation(event: FoldedEvent): void {
    const { op, job, namespace, signals } = event.facts;
    if (op === "delete" || op === "snapshot" || signals.length === 0) return;
    const key = jobKey(namespace ?? "-", job ?? "");
    const counts = this.#of(key);
    const group = groupOf(counts, this.#jobs.has(key) ? textInside(event.data, "resource", "group") : OTHER);
    if (event.has("task.restarted")) group.restarts += restartsIn(event);
    if (event.has("task.oom_killed")) group.oomKills += 1;
    if (event.has("allocation.failed")) group.failedAllocations += 1;
    if (event.has("allocation.rescheduled")) group.reschedules += 1;
    if (event.has("allocation.completed") && (counts.isBatch || isBatchAllocation(event.after)))
      noteSuccess(counts, event.at / 1000);
  }

  #takeDeployment(event: FoldedEvent): void {
    const { key: id, after: stub, at } = event;
    if (event.facts.op === "delete") this.#deployments.delete(id);
    if (stub === undefined) return;
    const outcome = outcomeOf(stub);
    const job = jobKeyOf(stub);
    if (outcome === undefined) this.#begin(this.#deployments, id, { job, since: at });
    if (outcome === undefined || !event.has(...ENDS)) return;
    const counts = this.#of(job);
    counts.deployments[outcome] += 1;
    const begun = this.#deployments.get(id);
    this.#deployments.delete(id);
    if (begun !== undefined) countDuration(counts, secondsBetween(begun.since, at));
  }

  #takeEvaluation({ key: id, facts, after: stub, at }: FoldedEvent): void {
    if (facts.op === "delete") this.#unblock(id, at);
    if (facts.op === "delete" || stub === undefined) return;
    if (stub["Status"] !== "blocked") this.#unblock(id, at);
    else this.#begin(this.#blocked, id, { job: jobKeyOf(stub), since: at });
  }

  #takeNode({ key: id, facts, after: stub, at }: FoldedEvent): void {
    if (facts.op === "delete") this.#nodes.remove(id, at);
    else if (stub !== undefined) this.#nodes.set(id, nodeFacts(stub), at);
  }

  #begin(spans: Map<string, Span>, id: string, span: Span): void {
    if (!spans.has(id)) spans.set(id, span);
  }

  #unblock(id: string, at: number): void {
    const span = this.#blocked.get(id);
    if (span === undefined) return;
    this.#blocked.delete(id);
    this.#of(span.job).blockedSeconds += secondsBetween(span.since, at);
  }

  /** Counts what goes on of a job up to now, before it is counted elsewhere. */
  #settle(job: string, at: number): void {
    for (const [id, span] of this.#blocked) {
      if (span.job !== job) continue;
      this.#of(job).blockedSeconds += secondsBetween(span.since, at);
      this.#blocked.set(id, { job, since: at });
    }
  }

  #keyOf(job: string): string {
    return this.#jobs.has(job) ? job : OTHER;
  }

  #of(job: string): JobCounts {
    const counts = this.#jobs.get(this.#keyOf(job));
    if (counts === undefined) throw new Error("there is always a place for other jobs");
    return counts;
  }
}

function isBatchAllocation(stub: JsonObject | undefined): boolean {
  return stub !== undefined && isBatch(stub, "JobType");
}
