import { inside, objectsIn, textOf } from "../../alerts/model/stub.ts";
import type { Json, JsonObject } from "../../schemas/json.ts";
import { subjectOf, type ObjectRef, type ResourceType } from "../../schemas/resources.ts";
import type { WhyEdge, WhyRelation } from "../../schemas/why-schema.ts";
import { named, type ObjectFact } from "./facts.ts";
import { triggerWords } from "./trigger-words.ts";

/** A relation that an object itself tells of. */
export interface Link {
  readonly from: ObjectRef;
  readonly to: ObjectRef;
  readonly relation: WhyRelation;
  readonly words: string;
}

/** What an object says of others, by the members of its stub and of what it was before. */
export function linksOf(object: ObjectFact): Link[] {
  const { ref } = object;
  if (ref.resource === "allocations") return allocationLinks(object);
  if (ref.resource === "evaluations") return evaluationLinks(object);
  const job = { ...ref, resource: "jobs" as const, key: textOf(object.stub, "JobID") };
  if (ref.resource === "deployments") {
    return [link(job, ref, "started", `${named(job)} started ${named(ref)}`)].filter(isWhole);
  }
  if (ref.resource !== "jobs") return [];
  const parent = { ...ref, key: textOf(object.stub, "ParentID") };
  return [link(parent, ref, "launched", `${named(parent)} launched ${named(ref)}`)].filter(isWhole);
}

export function edgeOf({ from, to, relation, words }: Link): WhyEdge {
  return { from: subjectOf(from), to: subjectOf(to), relation, words };
}

function allocationLinks({ ref, stub, events }: ObjectFact): Link[] {
  const at = (resource: ResourceType, key: string): ObjectRef => ({ ...ref, resource, key });
  const node: ObjectRef = { resource: "nodes", namespace: "-", key: textOf(stub, "NodeID") };
  const placing = at("evaluations", firstEvaluation(stub, events));
  const stopping = at("evaluations", textOf(stoppedBy(events) ?? {}, "EvalID"));
  const followUp = at("evaluations", textOf(stub, "FollowupEvalID"));
  const next = at("allocations", textOf(stub, "NextAllocation"));
  const previous = at("allocations", previousOf(stub));
  const preemptor = at("allocations", textOf(stub, "PreemptedByAllocation"));
  const victims = textsIn(stub["PreemptedAllocations"]).map((key) => at("allocations", key));
  return [
    link(placing, ref, "placed", `${named(placing)} placed ${named(ref)}`),
    link(node, ref, "runs", `${named(ref)} is on ${nodeName(node, stub)}`),
    ...(stopping.key === placing.key
      ? []
      : [link(stopping, ref, "stopped", `${named(stopping)} told ${named(ref)} to stop`)]),
    link(ref, followUp, "triggered", `${named(ref)} failed and is tried again by ${named(followUp)}`),
    link(ref, next, "replaced-by", `${named(next)} took the place of ${named(ref)}`),
    link(previous, ref, "replaced-by", `${named(ref)} took the place of ${named(previous)}`),
    link(preemptor, ref, "preempted", `${named(preemptor)} needed the room of ${named(ref)}`),
    ...victims.map((victim) =>
      link(ref, victim, "preempted", `${named(ref)} needed the room of ${named(victim)}`),
    ),
  ].filter(isWhole);
}

function evaluationLinks({ ref, stub }: ObjectFact): Link[] {
  const at = (resource: ResourceType, key: string): ObjectRef => ({ ...ref, resource, key });
  const trigger = textOf(stub, "TriggeredBy");
  const words = triggerWords(trigger, textOf(stub, "JobID"));
  const job = at("jobs", textOf(stub, "JobID"));
  const node: ObjectRef = { resource: "nodes", namespace: "-", key: textOf(stub, "NodeID") };
  const deployment = at("deployments", textOf(stub, "DeploymentID"));
  const previous = at("evaluations", textOf(stub, "PreviousEval"));
  const next = at("evaluations", textOf(stub, "NextEval"));
  const blocked = at("evaluations", textOf(stub, "BlockedEval"));
  const followed = (one: ObjectRef, other: ObjectRef, how: string) =>
    link(one, other, "followed-by", `${named(other)} ${how} ${named(one)} left`);
  return [
    link(job, ref, "triggered", words),
    link(node, ref, "triggered", words),
    trigger === "deployment-watcher"
      ? link(deployment, ref, "triggered", words)
      : link(ref, deployment, "started", `${named(ref)} began ${named(deployment)}`),
    followed(previous, ref, "went on with what"),
    followed(ref, next, "went on with what"),
    followed(ref, blocked.key === next.key ? ref : blocked, "waits for room for what"),
  ].filter(isWhole);
}

/** The evaluation that placed an allocation: a later one that touches it takes its place in the stub. */
function firstEvaluation(stub: JsonObject, events: ObjectFact["events"]): string {
  const moved = events.flatMap(({ changes }) => changes.filter(({ path }) => path === "/EvalID"));
  const [first] = moved.flatMap(({ from }) => (typeof from === "string" ? [from] : []));
  return first ?? textOf(stub, "EvalID");
}

/** The stub with which an allocation was told to stop, where the log has seen that. */
function stoppedBy(events: ObjectFact["events"]): JsonObject | undefined {
  return events.find(
    ({ op, changes }) =>
      op === "update" && changes.some(({ path, to }) => path === "/DesiredStatus" && to !== "run"),
  )?.stub;
}

/** The allocation that this one is in place of, where it failed or was lost. */
export function previousOf(stub: JsonObject): string {
  const attempts = objectsIn(inside(stub, "RescheduleTracker", "Events"));
  const own = textOf(stub, "PreviousAllocation");
  return own === "" ? textOf(attempts.at(-1) ?? {}, "PrevAllocID") : own;
}

function nodeName(node: ObjectRef, stub: JsonObject): string {
  const name = textOf(stub, "NodeName");
  return name === "" ? named(node) : `node ${name}`;
}

function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function link(from: ObjectRef, to: ObjectRef, relation: WhyRelation, words: string): Link {
  return { from, to, relation, words };
}

function isWhole({ from, to }: Link): boolean {
  return from.key !== "" && to.key !== "" && subjectOf(from) !== subjectOf(to);
}
