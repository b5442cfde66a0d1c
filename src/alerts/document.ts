import type { Alert } from "./alert.ts";
import type { FoldState } from "./fold.ts";
import type { TroubledAllocation } from "./model/allocation.ts";
import { groupOf, newJob, versionOf, type GroupRecord, type JobRecord } from "./model/job.ts";
import { jobKey, Model, type Gone } from "./model/model.ts";
import type { NodeRecord } from "./model/node.ts";
import type { ScopeRecord } from "./model/subject.ts";
import type { Window } from "./model/window.ts";
import { listText } from "../shared/list-text.ts";

/** Grows when an older program could not go on from what a newer one wrote. */
const VERSION = 1;

interface Document {
  readonly version: number;
  readonly now: number;
  readonly resumedAt?: number | undefined;
  readonly alerts: readonly Alert[];
  readonly ended: readonly Alert[];
  readonly model: ModelDocument | null;
}

interface ModelDocument {
  readonly jobs: readonly JobDocument[];
  readonly nodes: readonly NodeDocument[];
  readonly scopes: readonly ScopeRecord[];
  readonly allocations: readonly TroubledAllocation[];
  readonly goneJobs: readonly (readonly [string, Gone])[];
  readonly goneNamespaces: readonly string[];
}

type Entries<Value> = readonly (readonly [string, Value])[];

type JobDocument = Omit<JobRecord, "deployments" | "blocked" | "groups"> & {
  readonly deployments: Entries<JobRecord["deployments"] extends Map<string, infer Value> ? Value : never>;
  readonly blocked: Entries<JobRecord["blocked"] extends Map<string, infer Value> ? Value : never>;
  readonly groups: readonly GroupDocument[];
};

interface GroupDocument {
  readonly name: string;
  readonly completedIndex: number;
  readonly windows: readonly (readonly [
    version: string,
    restarts: Window,
    outOfMemory: Window,
    lastRestarted?: string,
    lastOutOfMemory?: string,
  ])[];
}

/** Which allocations are on a node is counted anew. */
type NodeDocument = Omit<NodeRecord, "brokenDrivers" | "allocations"> & {
  readonly brokenDrivers: Entries<string>;
};

/**
 * The state as JSON text, of `maxBytes` at most: what does not fit is first the model, which a seed makes anew, then
 * alerts that ended, the oldest first. Made in steps: it is the state at the first, whatever becomes of the fold.
 */
export function* encoding(state: FoldState, maxBytes: number): Generator<void, string> {
  const { now, resumedAt, ended } = state;
  const alerts = state.alerts.map((alert) => ({ ...alert }));
  const model = state.model === undefined ? null : modelDocument(state.model);
  const known = { version: VERSION, now, resumedAt, alerts, ended: [...ended] };
  const whole = yield* textOf({ ...known, model });
  if (Buffer.byteLength(whole) <= maxBytes) return whole;
  const withoutModel = yield* textOf({ ...known, model: null });
  if (Buffer.byteLength(withoutModel) <= maxBytes) return withoutModel;
  return yield* textOf({ ...known, ended: [], model: null });
}

/** Undefined where the text is none that this program can go on from: then start with a seed. */
export function decode(text: string): FoldState | undefined {
  const document = JSON.parse(text) as Partial<Document>;
  if (document.version !== VERSION) return undefined;
  const { now = 0, resumedAt, alerts = [], ended = [], model } = document;
  return { now, resumedAt, alerts, ended, model: model ? modelOf(model) : undefined };
}

/** The long lists in steps, and what is beside them at once. */
function* textOf({ alerts, ended, model, ...rest }: Document): Generator<void, string> {
  const head = JSON.stringify(rest).slice(0, -1);
  const texts = `"alerts":${yield* listText(alerts)},"ended":${yield* listText(ended)}`;
  return `${head},${texts},"model":${model === null ? "null" : yield* modelText(model)}}`;
}

function* modelText({ jobs, nodes, allocations, ...rest }: ModelDocument): Generator<void, string> {
  const head = JSON.stringify(rest).slice(0, -1);
  const texts = `"jobs":${yield* listText(jobs)},"nodes":${yield* listText(nodes)}`;
  return `${head},${texts},"allocations":${yield* listText(allocations)}}`;
}

/** Nothing of it changes with the model. */
function modelDocument(model: Model): ModelDocument {
  return {
    jobs: [...model.jobs.values()].map(jobDocument),
    nodes: [...model.nodes.values()].map(({ allocations: _allocations, ...node }) => ({
      ...node,
      losses: copyOf(node.losses),
      brokenDrivers: [...node.brokenDrivers],
    })),
    scopes: [...model.scopes.values()].map((scope) => ({ ...scope })),
    allocations: [...model.allocations.values()],
    goneJobs: [...model.goneJobs],
    goneNamespaces: [...model.goneNamespaces.keys()],
  };
}

function jobDocument(job: JobRecord): JobDocument {
  return {
    ...job,
    deployments: [...job.deployments],
    blocked: [...job.blocked],
    groups: [...job.groups.values()].map(groupDocument),
  };
}

function groupDocument({ name, completedIndex, versions }: GroupRecord): GroupDocument {
  const windows = [...versions].map(
    ([version, { restarts, outOfMemory, lastRestarted, lastOutOfMemory }]) =>
      [version, copyOf(restarts), copyOf(outOfMemory), lastRestarted, lastOutOfMemory] as const,
  );
  return { name, completedIndex, windows };
}

function copyOf(window: Window): Window {
  return window.map(([at, count]) => [at, count]);
}

function modelOf(document: ModelDocument): Model {
  const model = new Model();
  for (const job of document.jobs) model.jobs.set(jobKey(job.namespace, job.id), jobOf(job));
  for (const { brokenDrivers, ...node } of document.nodes) {
    model.nodes.set(node.id, {
      ...node,
      drainingSince: node.drainingSince,
      brokenDrivers: new Map(brokenDrivers),
      allocations: new Map(),
    });
  }
  for (const scope of document.scopes) model.scopes.set(scope.name, { ...scope });
  for (const allocation of document.allocations) model.setAllocation(allocation.id, allocation);
  for (const [key, gone] of document.goneJobs) model.goneJobs.set(key, gone);
  for (const namespace of document.goneNamespaces) model.goneNamespaces.set(namespace, true);
  return model;
}

function jobOf({ deployments, blocked, groups, ...rest }: JobDocument): JobRecord {
  const job = {
    ...newJob(rest.namespace, rest.id),
    ...rest,
    deployments: new Map(deployments),
    blocked: new Map(blocked),
  };
  for (const { name, completedIndex, windows } of groups) {
    const group = groupOf(job, name);
    group.completedIndex = completedIndex;
    for (const [version, restarts, outOfMemory, lastRestarted = "", lastOutOfMemory = ""] of windows) {
      const known = Object.assign(versionOf(group, version), { lastRestarted, lastOutOfMemory });
      known.restarts.push(...restarts);
      known.outOfMemory.push(...outOfMemory);
    }
  }
  return job;
}
