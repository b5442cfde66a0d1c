import { inside, membersOf, numberOf, objectsIn, textInside, textOf } from "./stub.ts";
import { placeOf, troubledAllocation, troubleOf, type Place, type TroubledAllocation } from "./allocation.ts";
import type { FoldedEvent } from "./folded-event.ts";
import { groupOf, versionOf, type GroupRecord } from "./job.ts";
import type { Model } from "./model.ts";
import type { SubjectRef } from "./subject.ts";
import { record } from "./window.ts";
import type { JsonObject } from "../../schemas/json.ts";

/** What can make trouble of an allocation that had none. */
const TELLING = [
  "allocation.failed",
  "allocation.lost",
  "allocation.unknown",
  "allocation.completed",
  "allocation.stop_requested",
  "allocation.evicted",
  "allocation.migrating",
  "task.restarted",
  "task.oom_killed",
];

export function takeAllocation(model: Model, event: FoldedEvent): SubjectRef[] {
  const known = model.allocations.get(event.key);
  const isNews = event.facts.op === "snapshot" || event.has(...TELLING);
  if (known === undefined && (!isNews || event.facts.op === "delete")) return [];
  if (event.facts.op === "delete") return forgetAllocation(model, known);
  const stub = event.after ?? stubOfCut(event);
  const place = readAllocation(model, event.key, stub);
  recordHappenings(model, event, place);
  const touched = touchedBy({ ...place, node: textOf(stub, "NodeID") });
  // Where it has no trouble and had none, only what is counted of its group has changed.
  return known === undefined && !model.allocations.has(event.key) ? touched.slice(0, 1) : touched;
}

/** Takes over what a stub says, from an event or from a read of all of them. */
export function readAllocation(model: Model, id: string, stub: JsonObject): Place {
  const place = placeOf(stub);
  if (place.isBatch) noteCompletion(model, place, stub);
  const trouble = troubleOf(stub);
  const isPast = trouble === "failing" && place.isBatch && place.createIndex < completedIndex(model, place);
  const isTroubled = trouble !== undefined && !isPast;
  model.setAllocation(id, isTroubled ? troubledAllocation(id, stub, trouble) : undefined);
  return place;
}

function forgetAllocation(model: Model, known: TroubledAllocation | undefined): SubjectRef[] {
  if (known === undefined) return [];
  model.setAllocation(known.id, undefined);
  return touchedBy(known);
}

function touchedBy(place: Pick<TroubledAllocation, "namespace" | "job" | "group" | "node">): SubjectRef[] {
  const { namespace, job, group, node } = place;
  return [
    { kind: "group", namespace, job, group },
    { kind: "job", namespace, job },
    { kind: "node", node },
  ];
}

function completedIndex(model: Model, { namespace, job, group }: Place): number {
  return model.knownJob(namespace, job)?.groups.get(group)?.completedIndex ?? 0;
}

/** A run of a batch job that completed makes good for those before it that failed. */
function noteCompletion(model: Model, place: Place, stub: JsonObject): void {
  if (stub["ClientStatus"] !== "complete" || stub["DesiredStatus"] !== "run") return;
  const group = groupOf(model.job(place.namespace, place.job), place.group);
  if (place.createIndex <= group.completedIndex) return;
  group.completedIndex = place.createIndex;
  for (const { id, createIndex } of failingOf(group)) {
    if (createIndex < place.createIndex) model.setAllocation(id, undefined);
  }
}

function failingOf(group: GroupRecord): TroubledAllocation[] {
  return [...group.versions.values()].flatMap(({ failing }) => [...failing.values()]);
}

/** What has no state that shows it afterwards. What happened while nobody looked cannot be dated, and is not counted. */
function recordHappenings(model: Model, event: FoldedEvent, place: Place): void {
  if (!event.has("task.restarted", "task.oom_killed") || !event.isLive) return;
  const group = groupOf(model.job(place.namespace, place.job), place.group);
  const version = versionOf(group, place.version);
  record(version.restarts, event.at, restartsIn(event));
  if (event.has("task.restarted")) version.lastRestarted = event.key;
  if (!event.has("task.oom_killed")) return;
  record(version.outOfMemory, event.at, 1);
  version.lastOutOfMemory = event.key;
}

/** How many restarts of tasks the event tells of. */
export function restartsIn(event: FoldedEvent): number {
  if (!event.has("task.restarted")) return 0;
  if (event.facts.op === "create") {
    return membersOf(inside(event.data, "after", "TaskStates")).reduce(
      (sum, [, task]) => sum + numberOf(task, "Restarts"),
      0,
    );
  }
  const rises = objectsIn(event.data["changes"])
    .filter((change) => /^\/TaskStates\/[^/]+\/Restarts$/u.test(textOf(change, "path")))
    .map((change) => Math.max(0, numberOf(change, "to") - numberOf(change, "from")));
  return Math.max(
    1,
    rises.reduce((sum, rise) => sum + rise, 0),
  );
}

/** Of an event that was too large to hold its object, what its other members say of it. */
function stubOfCut(event: FoldedEvent): JsonObject {
  const of = (member: string): string => textInside(event.data, "resource", member);
  const status = ["failed", "lost", "unknown"].find((name) => event.has(`allocation.${name}`));
  return {
    Namespace: of("namespace"),
    JobID: of("job"),
    TaskGroup: of("group"),
    NodeID: of("node"),
    NodeName: of("node").slice(0, 8),
    JobType: "service",
    ClientStatus: status ?? "running",
    DesiredStatus: "run",
  };
}
