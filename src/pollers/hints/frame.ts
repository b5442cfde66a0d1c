import { integerText, isJsonObject, stringField, type Json, type JsonObject } from "../../schemas/json.ts";
import { RESOURCES, subjectOf, type ResourceType } from "../../schemas/resources.ts";
import { parseExactFast } from "../../snapshots/exact-json.ts";
import { explainedBy } from "./explained.ts";
import type { Hint, StreamTopic } from "./hint.ts";

/** What the event stream tells of a raft entry, made into hints. */
export interface RaftEntry {
  readonly index: bigint;
  readonly explained: ReadonlySet<ResourceType>;
  readonly hints: readonly Hint[];
}

export interface StreamFrame extends RaftEntry {
  /** The same when Nomad sends the same frame again, which may then be written differently. */
  readonly identity: string;
}

interface StreamEvent {
  readonly topic: StreamTopic;
  readonly type: string;
  readonly namespace: string;
  readonly key: string;
  readonly index: bigint;
  /** The object as it is after the entry; of a deleted one, as it was before. */
  readonly object: JsonObject;
  /** Of a job; only Nomad 1.11.3 and later says so. */
  readonly isDeleted: boolean;
}

/** The lists that hold what the events of a topic are about. */
const RESOURCE_OF: Readonly<Record<StreamTopic, ResourceType>> = {
  Job: "jobs",
  Allocation: "allocations",
  Evaluation: "evaluations",
  Deployment: "deployments",
  Node: "nodes",
};

/** Of these the lists hold the whole objects, as the events do. */
const WHOLE_IN_LISTS: ReadonlySet<StreamTopic> = new Set(["Evaluation", "Deployment"]);

const DEREGISTERED = /^Job(Batch)?Deregistered$/;

/** Undefined for what is no frame, or a frame with an event that names no object. */
export function parseFrame(line: Buffer): StreamFrame | undefined {
  const frame = parsed(line);
  const index = integerText(frame?.["Index"]);
  const listed = frame?.["Events"];
  if (index === undefined || !Array.isArray(listed)) return undefined;
  const events = listed.filter(isOfOurTopics).map((event) => eventOf(event, BigInt(index)));
  return events.includes(undefined) ? undefined : frameOf(BigInt(index), events as StreamEvent[]);
}

function parsed(line: Buffer): JsonObject | undefined {
  try {
    const value = parseExactFast(line.toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isOfOurTopics(event: Json): event is JsonObject {
  return isJsonObject(event) && Object.hasOwn(RESOURCE_OF, stringField(event, "Topic") ?? "");
}

function eventOf(event: JsonObject, index: bigint): StreamEvent | undefined {
  const topic = stringField(event, "Topic") as StreamTopic;
  const payload = event["Payload"];
  const object = isJsonObject(payload) ? payload[topic] : undefined;
  const key = stringField(event, "Key");
  const namespace = RESOURCES[RESOURCE_OF[topic]].namespaced ? stringField(event, "Namespace") : "-";
  if (!isJsonObject(object) || !isJsonObject(payload) || !key || !namespace) return undefined;
  const isDeleted = payload["Deleted"] === true;
  return { topic, type: stringField(event, "Type") ?? "", namespace, key, index, object, isDeleted };
}

function frameOf(index: bigint, events: readonly StreamEvent[]): StreamFrame {
  const hints = new Map<string, Hint>();
  for (const hint of events.flatMap(hintsOf)) {
    const subject = subjectOf(hint);
    hints.set(subject, merged(hints.get(subject), hint));
  }
  const isJobGone = [...hints.values()].some(({ gone }) => gone === true);
  const topics = new Set(events.map(({ topic }) => topic));
  return {
    index,
    hints: [...hints.values()],
    explained: explainedBy(topics, isJobGone),
    identity: events.map(({ topic, type, namespace, key }) => `${topic} ${type} ${namespace} ${key}`).join(),
  };
}

/** What to look at: the object itself, and the job whose summary counts it. */
function hintsOf(event: StreamEvent): Hint[] {
  if (isAsListed(event)) return [];
  const { topic, namespace, key, index, object } = event;
  const itself: Hint = {
    resource: RESOURCE_OF[topic],
    namespace,
    key,
    index,
    cause: topic,
    ...(WHOLE_IN_LISTS.has(topic) && { payload: Buffer.from(JSON.stringify(object)) }),
    ...(isUpdate(event) && { update: object }),
    ...(isGone(event) && { gone: true as const }),
  };
  const job = jobCounting(event);
  return job ? [itself, { resource: "jobs", namespace, key: job, index, cause: topic }] : [itself];
}

/** What the scheduler writes, among it the job's version that the event does not have, has the entry's index. */
function isUpdate({ topic, object, index }: StreamEvent): boolean {
  const written = topic === "Allocation" ? integerText(object["AllocModifyIndex"]) : undefined;
  return written !== undefined && BigInt(written) < index;
}

/** Every word of a client on its allocations, and every event of a node, writes the node, and nothing that its list has. */
function isAsListed({ topic, type, object, index }: StreamEvent): boolean {
  if (topic !== "Node" || type === "NodeDeregistration") return false;
  return integerText(object["ModifyIndex"]) !== String(index);
}

/** A job counts its allocations, what evaluations could not place, and its children. */
function jobCounting({ topic, object }: StreamEvent): string | undefined {
  if (topic === "Job") return stringField(object, "ParentID");
  return topic === "Allocation" || topic === "Evaluation" ? stringField(object, "JobID") : undefined;
}

/** A job that was only stopped was written at this index; one that was deleted comes as it was before. */
function isGone({ topic, type, object, index, isDeleted }: StreamEvent): boolean {
  if (topic !== "Job") return false;
  return isDeleted || (DEREGISTERED.test(type) && integerText(object["ModifyIndex"]) !== String(index));
}

/** An object may be named more than once in a frame; what is said of it last holds. */
function merged(before: Hint | undefined, { payload, update, gone, ...hint }: Hint): Hint {
  const { update: _former, ...first }: Hint = before ?? hint;
  return { ...first, ...(payload && { payload }), ...(update && { update }), ...(gone && { gone }) };
}
