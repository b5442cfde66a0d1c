import type { LogEntry, Op } from "../../schemas/draft.ts";
import { stringField, type JsonObject } from "../../schemas/json.ts";
import { jsonText } from "../../schemas/line-safe.ts";
import type { ResourceType } from "../../schemas/resources.ts";

interface Untold {
  /** As Nomad names it; of namespaces, of which Nomad's stream never speaks, as Nomad would. */
  readonly topic: string;
  /** What follows the topic in the event's `Type`. No type of Nomad's ends so. */
  readonly types: Readonly<Partial<Record<Op, string>>>;
  readonly filterKeys: (stub: JsonObject) => readonly string[] | null;
}

const REMOVED = { delete: "Removed" } as const;

/**
 * Changes that Nomad's stream never tells of. Of a job's end it always tells, and of a node's, but where it is collected.
 */
const UNTOLD: Readonly<Partial<Record<ResourceType, Untold>>> = {
  evaluations: {
    topic: "Evaluation",
    types: REMOVED,
    filterKeys: (stub) => [stringField(stub, "JobID") ?? "", stringField(stub, "DeploymentID") ?? ""],
  },
  allocations: {
    topic: "Allocation",
    types: REMOVED,
    filterKeys: (stub) => [stringField(stub, "JobID") ?? ""],
  },
  deployments: {
    topic: "Deployment",
    types: REMOVED,
    filterKeys: (stub) => [stringField(stub, "JobID") ?? ""],
  },
  nodes: { topic: "Node", types: REMOVED, filterKeys: () => null },
  namespaces: {
    topic: "Namespace",
    types: { ...REMOVED, create: "Added", update: "Changed" },
    filterKeys: () => null,
  },
};

/** Of the feed's events those that may be untold. */
export const UNTOLD_TYPES = Object.keys(UNTOLD);

/** An event in the form of Nomad's, of what Nomad's stream does not tell. */
export interface ExtraEvent {
  readonly topic: string;
  readonly key: string;
  /** As the index of its frame is `index`. */
  readonly textAt: (index: number) => string;
}

/** Undefined where Nomad tells of it itself. `stub`: the object, of one that is gone as it was last seen. */
export function extraEventOf(entry: LogEntry, stub: JsonObject): ExtraEvent | undefined {
  const { op, key, resource, namespace } = entry;
  const untold = UNTOLD[resource as ResourceType];
  const verb = op === null ? undefined : untold?.types[op];
  if (untold === undefined || verb === undefined || key === null) return undefined;
  const { topic, filterKeys } = untold;
  const own = topic === "Namespace" ? key : namespace === "-" ? "" : (namespace ?? "");
  // Members in the order of Nomad's.
  const textAt = (index: number) =>
    jsonText({
      FilterKeys: filterKeys(stub),
      Index: index,
      Key: key,
      Namespace: own,
      Payload: { ...(op === "delete" && { Deleted: true }), Stub: true, [topic]: stub },
      Topic: topic,
      Type: `${topic}${verb}`,
    });
  return { topic, key, textAt };
}

/** The frame of these events, as Nomad writes frames. */
export function frameText(events: readonly ExtraEvent[], index: number): string {
  return `{"Events":[${events.map(({ textAt }) => textAt(index)).join(",")}],"Index":${index}}`;
}
