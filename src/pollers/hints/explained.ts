import type { ResourceType } from "../../schemas/resources.ts";
import { STREAM_TOPICS, type StreamTopic } from "./hint.ts";

/** Which tables an entry's events account for: all that changes there without any of these is in no event at all. */
const EXPLAINED_BY: Readonly<Record<StreamTopic, readonly ResourceType[]>> = {
  Job: ["jobs"],
  // A job's summary counts its allocations.
  Allocation: ["allocations", "jobs"],
  Evaluation: ["evaluations", "jobs"],
  Deployment: ["deployments"],
  Node: ["nodes"],
};

/** What a deleted job takes along, without events. */
const GO_WITH_A_JOB: readonly ResourceType[] = ["allocations", "evaluations", "deployments"];

export function goesWithAJob(resource: ResourceType): boolean {
  return GO_WITH_A_JOB.includes(resource);
}

/** What must be subscribed to, so that nothing of a resource changes unheard. */
export function topicsFor(resource: ResourceType): StreamTopic[] {
  return STREAM_TOPICS.filter(
    (topic) => EXPLAINED_BY[topic].includes(resource) || (topic === "Job" && goesWithAJob(resource)),
  );
}

/** Whether events name what changes of the resource. */
export function isHinted(resource: ResourceType): boolean {
  return topicsFor(resource).length > 0;
}

/** The tables of which an entry's events name all that changed. */
export function explainedBy(topics: Iterable<StreamTopic>, isJobGone: boolean): Set<ResourceType> {
  const explained = new Set([...topics].flatMap((topic) => EXPLAINED_BY[topic]));
  if (isJobGone) for (const resource of GO_WITH_A_JOB) explained.delete(resource);
  return explained;
}

/** Raft indexes that are remembered, for each resource. */
const REMEMBERED = 4_096;

/** Raft indexes of each table at which the event stream has named all that changed there. */
export class Explained {
  /** Index to the position of the first frame that explained it. */
  readonly #positions = new Map<ResourceType, Map<bigint, number>>();
  #position = 0;

  /** Where the frames of now are: `has` can be asked for those that came later. */
  get position(): number {
    return this.#position;
  }

  add(resources: Iterable<ResourceType>, index: bigint): void {
    this.#position += 1;
    for (const resource of resources) this.#remember(resource, index);
  }

  has(resource: ResourceType, index: bigint, since: number): boolean {
    return (this.#positions.get(resource)?.get(index) ?? 0) > since;
  }

  #remember(resource: ResourceType, index: bigint): void {
    const positions = this.#positions.get(resource) ?? new Map<bigint, number>();
    this.#positions.set(resource, positions);
    if (!positions.has(index)) positions.set(index, this.#position);
    if (positions.size > REMEMBERED) positions.delete(positions.keys().next().value as bigint);
  }
}
