import type { TroubledAllocation } from "./allocation.ts";
import type { DeploymentRecord } from "./deployment.ts";
import type { Window } from "./window.ts";

/** What is known of a job that something is or was lately wrong with, or that runs by a schedule. */
export interface JobRecord {
  readonly namespace: string;
  readonly id: string;
  isStopped: boolean;
  isPeriodic: boolean;
  isParameterized: boolean;
  /** Times of its latest launches, ms, ascending. */
  launches: number[];
  /** Those that go on or failed. */
  readonly deployments: Map<string, DeploymentRecord>;
  /** Raft index at which the newest deployment that succeeded was created. */
  succeededIndex: number;
  /** Evaluations that wait for room, and why. */
  readonly blocked: Map<string, BlockedEvaluation>;
  readonly groups: Map<string, GroupRecord>;
}

interface BlockedEvaluation {
  /** The job itself or a child of it. */
  readonly job: string;
  readonly reasons: readonly string[];
  /** Of one in the document of an older program it is not known: it is of no former job. */
  readonly createIndex: number;
}

export interface GroupRecord {
  readonly name: string;
  /** Allocations that failed and are wanted, by version of the job. */
  readonly versions: Map<string, VersionRecord>;
  /** Raft index at which the newest allocation of a batch job that completed was created. */
  completedIndex: number;
}

/** What goes wrong with one version of a group. */
export interface VersionRecord {
  readonly failing: Map<string, TroubledAllocation>;
  /** How many of them nothing follows. */
  exhausted: number;
  readonly exitCodes: Map<string, number>;
  readonly nodes: Map<string, number>;
  readonly restarts: Window;
  readonly outOfMemory: Window;
  /** The allocations in which that happened last; "" where it did not, or is not known. */
  lastRestarted: string;
  lastOutOfMemory: string;
}

export function newJob(namespace: string, id: string): JobRecord {
  return {
    namespace,
    id,
    isStopped: false,
    isPeriodic: false,
    isParameterized: false,
    launches: [],
    deployments: new Map(),
    succeededIndex: 0,
    blocked: new Map(),
    groups: new Map(),
  };
}

export function groupOf(job: JobRecord, name: string): GroupRecord {
  return orNew(job.groups, name, () => ({ name, versions: new Map(), completedIndex: 0 }));
}

export function versionOf(group: GroupRecord, version: string): VersionRecord {
  return orNew(group.versions, version, () => ({
    failing: new Map(),
    exhausted: 0,
    exitCodes: new Map(),
    nodes: new Map(),
    restarts: [],
    outOfMemory: [],
    lastRestarted: "",
    lastOutOfMemory: "",
  }));
}

/** Every version of every group. */
export function versionsOf(job: JobRecord): VersionRecord[] {
  return [...job.groups.values()].flatMap(({ versions }) => [...versions.values()]);
}

/** How the failure of an allocation is counted: by exit code, and whether memory was the reason. */
function failureOf({ exitCode, wasOutOfMemory }: TroubledAllocation): string {
  if (exitCode === "") return "no exit code";
  return wasOutOfMemory ? `exit code ${exitCode}, out of memory` : `exit code ${exitCode}`;
}

/** Counts a failing allocation in, or with -1 out. */
export function countFailing(version: VersionRecord, allocation: TroubledAllocation, by: 1 | -1): void {
  if (by === 1) version.failing.set(allocation.id, allocation);
  else version.failing.delete(allocation.id);
  version.exhausted += allocation.isExhausted ? by : 0;
  count(version.exitCodes, failureOf(allocation), by);
  count(version.nodes, allocation.nodeName, by);
}

export function count(counts: Map<string, number>, name: string, by: number): void {
  const next = (counts.get(name) ?? 0) + by;
  if (next > 0) counts.set(name, next);
  else counts.delete(name);
}

/** Drops groups that say nothing any more, but those in `kept`; true where nothing of the job is worth keeping. */
export function tidyJob(job: JobRecord, isGone: boolean, isKept: (group: string) => boolean): boolean {
  for (const group of job.groups.values()) {
    tidyVersions(group);
    const isOver = group.versions.size === 0 && (group.completedIndex === 0 || isGone);
    if (isOver && !isKept(group.name)) job.groups.delete(group.name);
  }
  const isPlain = job.deployments.size === 0 && job.blocked.size === 0 && job.groups.size === 0;
  return isPlain && (isGone || (!job.isPeriodic && !job.isStopped));
}

function tidyVersions(group: GroupRecord): void {
  for (const [name, { failing, restarts, outOfMemory }] of group.versions) {
    if (failing.size + restarts.length + outOfMemory.length === 0) group.versions.delete(name);
  }
}

export function orNew<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
