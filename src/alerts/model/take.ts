import { placementReasons } from "../../schemas/placement.ts";
import { isJsonObject, type JsonObject } from "../../schemas/json.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import { isResourceType } from "../../schemas/resources.ts";
import { deploymentRecord } from "./deployment.ts";
import { familyOf } from "./allocation.ts";
import type { FoldedEvent } from "./folded-event.ts";
import { versionsOf, type JobRecord } from "./job.ts";
import { subjectsOf, type Model } from "./model.ts";
import { readNode } from "./node.ts";
import { inside, numberOf, objectsIn, textInside, textOf } from "./stub.ts";
import type { SubjectRef } from "./subject.ts";
import { readAllocation, takeAllocation } from "./take-allocation.ts";
import { record } from "./window.ts";

/** Takes an event into the model; what alerts are about that it may have changed, causes before what they explain. */
export function take(model: Model, event: FoldedEvent): SubjectRef[] {
  const { resource, op } = event.facts;
  if (op === null) return takeControl(model, event);
  // A version that no poll saw says nothing of how the job is.
  if (op === "version") return [];
  if (resource === "allocations") return takeAllocation(model, event);
  if (resource === "nodes") return takeNode(model, event);
  if (resource === "jobs") return takeJob(model, event);
  if (resource === "deployments") return takeDeployment(model, event);
  if (resource === "evaluations") return takeEvaluation(model, event);
  return resource === "namespaces" ? takeNamespace(model, event) : [];
}

/** Takes over an object as a read of all of them has it. */
export function read(model: Model, ref: ObjectRef, stub: JsonObject): void {
  if (ref.resource === "allocations") readAllocation(model, ref.key, stub);
  else if (ref.resource === "nodes") readNode(model.node(ref.key), stub, new Set());
  else if (ref.resource === "jobs") readJob(model, ref.namespace, ref.key, stub);
  else if (ref.resource === "deployments") readDeployment(model, ref.namespace, ref.key, stub);
  else if (ref.resource === "evaluations") readEvaluation(model, ref.namespace, ref.key, stub);
}

const LOST = new Set(["down", "disconnected"]);

function takeNode(model: Model, event: FoldedEvent): SubjectRef[] {
  const { op, signals } = event.facts;
  if (op === "update" && signals.length === 0 && !model.nodes.has(event.key)) return [];
  const node = model.node(event.key);
  const wasLost = LOST.has(node.status);
  if (op === "delete") Object.assign(node, { isGone: true, losses: [] });
  else if (event.after !== undefined) readNode(node, event.after, driversThatFailed(event));
  else node.status = cutStatus(event) ?? node.status;
  if (op === "update" && !wasLost && LOST.has(node.status) && event.isLive) record(node.losses, event.at, 1);
  return [{ kind: "node", node: event.key }];
}

/** Of an event that was too large to hold its object. */
function cutStatus(event: FoldedEvent): string | undefined {
  const status = event.changed("/Status");
  return typeof status === "string" ? status : undefined;
}

function driversThatFailed(event: FoldedEvent): Set<string> {
  const paths = objectsIn(event.data["changes"])
    .filter((change) => change["from"] === true)
    .map((change) => /^\/Drivers\/([^/]+)\/Healthy$/u.exec(textOf(change, "path"))?.[1]);
  return new Set(paths.filter((name) => name !== undefined));
}

function takeJob(model: Model, event: FoldedEvent): SubjectRef[] {
  const { namespace, key } = event;
  const { op, signals } = event.facts;
  if (op === "delete") return takeJobsEnd(model, event);
  const family = familyOf(key);
  const isKnown = model.knownJob(namespace, family) !== undefined;
  if (op === "update" && signals.length === 0 && !isKnown) return [];
  readJob(model, namespace, key, event.after ?? cutJob(event, model.knownJob(namespace, key)));
  return touchedJob(model, namespace, family);
}

/** Of an event that was too large to hold its object, what its changes say of it. */
function cutJob(event: FoldedEvent, known: JobRecord | undefined): JsonObject {
  return {
    Stop: event.changed("/Stop") ?? known?.isStopped ?? false,
    Periodic: event.changed("/Periodic") ?? known?.isPeriodic ?? false,
    ParameterizedJob: event.changed("/ParameterizedJob") ?? known?.isParameterized ?? false,
  };
}

function takeJobsEnd(model: Model, event: FoldedEvent): SubjectRef[] {
  const { namespace, key } = event;
  const job = model.knownJob(namespace, familyOf(key));
  model.setJobGone(namespace, key, event.has("job.purged") ? "purged" : "collected");
  const refs = touchedJob(model, namespace, familyOf(key));
  if (key === job?.id) forgetRuns(job);
  else if (job !== undefined) forgetBlocked(job, key, Number.POSITIVE_INFINITY);
  return refs;
}

/** Those that are older than `index`, of the job itself or of a child of it. */
function forgetBlocked({ blocked }: JobRecord, id: string, index: number): void {
  for (const [key, { job, createIndex }] of blocked)
    if (job === id && createIndex < index) blocked.delete(key);
}

/** Of a job under the same name that comes later, none of this is true. */
function forgetRuns(job: JobRecord): void {
  job.isPeriodic = false;
  job.isParameterized = false;
  job.isStopped = false;
  job.launches = [];
  for (const { restarts, outOfMemory } of versionsOf(job)) {
    restarts.length = 0;
    outOfMemory.length = 0;
  }
}

/** Its latest launches: enough to know its longest pause of a week. */
const MAX_LAUNCHES = 8;

function readJob(model: Model, namespace: string, id: string, stub: JsonObject): void {
  model.setJobGone(namespace, id, undefined);
  const launchedAt = /\/periodic-(\d+)$/.exec(id)?.[1];
  if (launchedAt !== undefined) noteLaunch(model.job(namespace, familyOf(id)), Number(launchedAt) * 1000);
  if (familyOf(id) !== id) return;
  const job = model.job(namespace, id);
  // An evaluation may be read before the end of the job that had the name before: by its index it is of this one.
  forgetBlocked(job, id, numberOf(stub, "CreateIndex"));
  job.isStopped = stub["Stop"] === true;
  job.isPeriodic = stub["Periodic"] === true;
  job.isParameterized = stub["ParameterizedJob"] === true;
}

function noteLaunch(parent: JobRecord, at: number): void {
  if (parent.launches.includes(at)) return;
  parent.launches = [...parent.launches, at].toSorted((a, b) => a - b).slice(-MAX_LAUNCHES);
}

function takeDeployment(model: Model, event: FoldedEvent): SubjectRef[] {
  const job = event.facts.job ?? "";
  if (event.facts.op === "delete") model.knownJob(event.namespace, job)?.deployments.delete(event.key);
  else if (event.after !== undefined) readDeployment(model, event.namespace, event.key, event.after);
  return touchedJob(model, event.namespace, job);
}

function readDeployment(model: Model, namespace: string, id: string, stub: JsonObject): void {
  const job = model.job(namespace, textOf(stub, "JobID"));
  const deployment = deploymentRecord(id, stub);
  if (deployment === undefined) job.deployments.delete(id);
  else job.deployments.set(id, deployment);
  if (stub["Status"] === "successful")
    job.succeededIndex = Math.max(job.succeededIndex, numberOf(stub, "CreateIndex"));
}

function takeEvaluation(model: Model, event: FoldedEvent): SubjectRef[] {
  const { op, signals, job: id } = event.facts;
  const job = model.knownJob(event.namespace, familyOf(id ?? ""));
  const isKnown = job?.blocked.has(event.key) === true;
  if (!isKnown && (op === "delete" || (op === "update" && signals.length === 0))) return [];
  if (op === "delete") job?.blocked.delete(event.key);
  else if (event.after !== undefined) readEvaluation(model, event.namespace, event.key, event.after);
  else readEvaluation(model, event.namespace, event.key, cutEvaluation(event, isKnown), explanationIn(event));
  return [{ kind: "job", namespace: event.namespace, job: familyOf(id ?? "") }];
}

/** Of an event that was too large to hold its object, what its other members say of it. */
function cutEvaluation(event: FoldedEvent, isBlocked: boolean): JsonObject {
  const status = isBlocked || event.has("evaluation.blocked") ? "blocked" : "";
  const created = Number(textInside(event.data, "rev", "created"));
  return { JobID: event.facts.job ?? "", Status: event.changed("/Status") ?? status, CreateIndex: created };
}

function explanationIn(event: FoldedEvent): string[] {
  const explanation = textOf(event.data, "explanation");
  return explanation === "" ? [] : [explanation];
}

function readEvaluation(
  model: Model,
  namespace: string,
  id: string,
  stub: JsonObject,
  reasons = placementReasons(stub),
): void {
  const job = textOf(stub, "JobID");
  const family = familyOf(job);
  // A job that is gone may be back, and its evaluation be read before it. A child does not come back.
  const isOver = family !== job && model.goneJobs.has(`${namespace}/${job}`);
  if (stub["Status"] === "blocked" && !isOver) {
    model.job(namespace, family).blocked.set(id, {
      job,
      reasons,
      createIndex: numberOf(stub, "CreateIndex"),
    });
  } else model.knownJob(namespace, family)?.blocked.delete(id);
}

function takeNamespace(model: Model, event: FoldedEvent): SubjectRef[] {
  model.setNamespaceGone(event.key, event.facts.op === "delete");
  const scopes = [...model.scopes.values()].filter(({ namespace }) => namespace === event.key);
  for (const scope of scopes) scope.trouble = undefined;
  const jobs = [...model.jobs.values()].filter(({ namespace }) => namespace === event.key);
  return [
    ...scopes.map(({ name }) => ({ kind: "scope", scope: name }) as const),
    ...jobs.flatMap((job) => [...subjectsOf(job)]),
  ];
}

function touchedJob(model: Model, namespace: string, id: string): SubjectRef[] {
  const job = model.knownJob(namespace, id);
  return job === undefined ? [{ kind: "job", namespace, job: id }] : [...subjectsOf(job)];
}

function takeControl(model: Model, event: FoldedEvent): SubjectRef[] {
  if (event.facts.type === "nomad.feed.scope") return takeScope(model, event);
  if (event.facts.type !== "nomad.feed.epoch" || event.data["previous"] === null) return [];
  return noteGap(model, event.at, textOf(event.data, "reason"));
}

/** Events are missing between those before `at` and those after. */
export function noteGap(model: Model, at: number, reason: string): SubjectRef[] {
  model.scope("feed", null, "*").gap = { at, reason };
  return [{ kind: "scope", scope: "feed" }];
}

function takeScope(model: Model, event: FoldedEvent): SubjectRef[] {
  const of = event.data["scope"];
  const scope = isJsonObject(of) ? scopeRecord(model, of) : model.scope("feed", null, "*");
  const state = inside(event.data, "state");
  scope.trouble =
    state === "stale" || state === "access-lost"
      ? { state, reason: textOf(event.data, "reason") }
      : undefined;
  // What was held back while it could not be trusted is looked at again.
  return scope.trouble === undefined ? [...model.subjects()] : [{ kind: "scope", scope: scope.name }];
}

function scopeRecord(model: Model, of: JsonObject) {
  const [resource, namespace] = [textOf(of, "resource"), textOf(of, "namespace")];
  return model.scope(`${resource}/${namespace}`, isResourceType(resource) ? resource : null, namespace);
}
