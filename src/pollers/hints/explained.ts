import type { ResourceType } from "../../schemas/resources.ts";
import type { StreamTopic } from "./hint.ts";

/** Which tables an entry's events account for: all that changes there without any of these is in no event at all. */
const EXPLAINED_BY: Readonly<Record<StreamTopic, readonly ResourceType[]>> = {
  Job: ["jobs"],
  // A job's summary counts its allocations; and what a client says of its allocations moves the index of the nodes.
  Allocation: ["allocations", "jobs", "nodes"],
  Evaluation: ["evaluations", "jobs"],
  Deployment: ["deployments"],
  Node: ["nodes"],
};

const GO_WITH_A_JOB = ["allocations", "evaluations", "deployments"] as const;

/**
 * The tables of which an entry's events name all that changed. A deleted job takes its allocations, evaluations and
 * deployments along, of which no event tells.
 */
export function explainedBy(topics: Iterable<StreamTopic>, isJobGone: boolean): Set<ResourceType> {
  const explained = new Set([...topics].flatMap((topic) => EXPLAINED_BY[topic]));
  if (isJobGone) for (const resource of GO_WITH_A_JOB) explained.delete(resource);
  return explained;
}

/** Raft indexes that are remembered, for each resource. */
const REMEMBERED = 4_096;

/** Raft indexes of each table at which the event stream has named all that changed there. */
export class Explained {
  readonly #indexes = new Map<ResourceType, Set<bigint>>();

  add(resource: ResourceType, index: bigint): void {
    const indexes = this.#indexes.get(resource) ?? new Set();
    this.#indexes.set(resource, indexes);
    indexes.add(index);
    if (indexes.size > REMEMBERED) indexes.delete(indexes.values().next().value as bigint);
  }

  has(resource: ResourceType, index: bigint): boolean {
    return this.#indexes.get(resource)?.has(index) === true;
  }

  clear(): void {
    this.#indexes.clear();
  }
}
