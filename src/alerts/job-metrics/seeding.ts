import type { JsonObject } from "../../schemas/json.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import { familyOf } from "../model/allocation.ts";
import {
  jobFacts,
  jobKey,
  jobKeyOf,
  nodeFacts,
  outcomeOf,
  successIn,
  type JobFacts,
  type NodeFacts,
} from "./stubs.ts";

/** What a read of all objects says of what is counted, object by object. */
export class JobMetricsSeeding {
  readonly jobs = new Map<string, JobFacts>();
  readonly nodes = new Map<string, NodeFacts>();
  /** Those that go on, by id: whose they are. */
  readonly deployments = new Map<string, string>();
  readonly blocked = new Map<string, string>();
  /** When a batch job completed last, seconds since 1970. */
  readonly successes = new Map<string, number>();

  take({ resource, namespace, key }: ObjectRef, stub: JsonObject): void {
    if (resource === "nodes") this.nodes.set(key, nodeFacts(stub));
    else if (resource === "jobs") this.#takeJob(namespace, key, stub);
    else if (resource === "allocations") this.#takeAllocation(stub);
    else if (resource === "deployments" && outcomeOf(stub) === undefined)
      this.deployments.set(key, jobKeyOf(stub));
    else if (resource === "evaluations" && stub["Status"] === "blocked")
      this.blocked.set(key, jobKeyOf(stub));
  }

  #takeJob(namespace: string, id: string, stub: JsonObject): void {
    if (familyOf(id) === id) this.jobs.set(jobKey(namespace, id), jobFacts(stub));
  }

  #takeAllocation(stub: JsonObject): void {
    const at = successIn(stub);
    if (at === undefined) return;
    const job = jobKeyOf(stub);
    this.successes.set(job, Math.max(at, this.successes.get(job) ?? 0));
  }
}
