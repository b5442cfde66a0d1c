import type { JournalEntry } from "../../packages/nomad-simulator/src/journal.ts";
import type { JobCounts, NodeCounts } from "../../src/alerts/job-metrics/counts.ts";
import { parentOf } from "./alert-truth.ts";

/** One change of an object's stub, as it was seen. */
export type Seen = Pick<JournalEntry, "resource" | "namespace" | "key" | "at" | "before" | "after">;

/** A stub, as far as it is counted. */
interface Stub {
  Status?: string;
  Name?: string;
  Type?: string;
  JobID?: string;
  JobType?: string;
  TaskGroup?: string;
  ClientStatus?: string;
  DesiredDescription?: string;
  NextAllocation?: string;
  Drain?: boolean;
  JobSummary?: { Summary: Record<string, unknown> };
  TaskStates?: Record<
    string,
    { Restarts: number; Events: { Type: string; Time: number; Details: Record<string, string> }[] }
  > | null;
}

const BOUNDS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, Number.POSITIVE_INFINITY];
const ENDS = ["successful", "failed", "cancelled"] as const;

const none = () => ({ restarts: 0, oomKills: 0, failedAllocations: 0, reschedules: 0 });
const fresh = (isBatch = false): JobCounts => ({
  isBatch,
  groups: new Map(),
  deployments: { successful: 0, failed: 0, cancelled: 0 },
  durations: BOUNDS.map(() => 0),
  durationSum: 0,
  blockedSeconds: 0,
  lastSuccess: null,
});

/** What there is to count up to `now`, entry by entry, from stubs alone. */
export function plainCounts(
  entries: readonly Seen[],
  now: number,
): { jobs: Map<string, JobCounts>; nodes: Map<string, NodeCounts> } {
  const jobs = new Map([["other", fresh()]]);
  jobs.get("other")?.groups.set("other", none());
  const nodes = new Map<string, NodeCounts>([["other", { name: "other", downSeconds: 0, drainSeconds: 0 }]]);
  const began = new Map<string, number>();
  const last = new Map<string, { entry: Seen; stub: Stub }>();
  const find = (key: string) => {
    const counts = jobs.get(jobs.has(key) ? key : "other");
    if (counts === undefined) throw new Error("no other");
    return counts;
  };
  const pass = (before: Stub | undefined, id: string, entry: Seen, ms: number) => {
    const seconds = ms / 1000;
    if (entry.resource === "evaluations" && before?.Status === "blocked")
      find(`${entry.namespace}/${parentOf(before.JobID ?? "")}`).blockedSeconds += seconds;
    const node = entry.resource === "nodes" ? nodes.get(id) : undefined;
    if (node === undefined) return;
    if (before?.Status === "down" || before?.Status === "disconnected") node.downSeconds += seconds;
    if (before?.Drain === true) node.drainSeconds += seconds;
  };
  for (const entry of entries) {
    const [before, after] = [entry.before, entry.after].map((text) => text && (JSON.parse(text) as Stub)) as (
      | Stub
      | undefined
    )[];
    const { resource, namespace, key: id, at } = entry;
    const job = `${namespace}/${parentOf(resource === "jobs" ? id : (after?.JobID ?? before?.JobID ?? ""))}`;
    pass(before, id, entry, at - (last.get(`${resource}/${id}`)?.entry.at ?? at));
    if (after === undefined) last.delete(`${resource}/${id}`);
    else last.set(`${resource}/${id}`, { entry, stub: after });
    if (resource === "jobs" && parentOf(id) === id) {
      if (after === undefined) jobs.delete(job);
      else {
        const groups = Object.keys(after.JobSummary?.Summary ?? {});
        const known = jobs.get(job) ?? fresh(after.Type === "batch");
        for (const group of groups) known.groups.set(group, known.groups.get(group) ?? none());
        jobs.set(job, known);
      }
    }
    if (resource === "nodes") {
      if (after === undefined) nodes.delete(id);
      else if (!nodes.has(id)) nodes.set(id, { name: after.Name ?? "", downSeconds: 0, drainSeconds: 0 });
    }
    if (resource === "deployments" && after !== undefined) {
      const end = ENDS.find((name) => name === after.Status);
      if (end === undefined && !began.has(id)) began.set(id, at);
      if (end !== undefined && before?.Status !== end) {
        const counts = find(job);
        counts.deployments[end] += 1;
        const seconds = (at - (began.get(id) ?? at)) / 1000;
        if (began.delete(id)) {
          const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
          counts.durations[bucket] = (counts.durations[bucket] ?? 0) + 1;
          counts.durationSum += seconds;
        }
      }
    }
    if (resource === "allocations" && after !== undefined)
      noteAllocation(find(job), jobs.has(job), before, after, at);
  }
  for (const [name, { entry, stub }] of last)
    pass(stub, name.slice(name.indexOf("/") + 1), entry, now - entry.at);
  return { jobs, nodes };
}

function noteAllocation(
  counts: JobCounts,
  isKnown: boolean,
  before: Stub | undefined,
  after: Stub,
  at: number,
): void {
  const sum = { ...none() };
  for (const [name, task] of Object.entries(after.TaskStates ?? {})) {
    sum.restarts += Math.max(0, task.Restarts - (before?.TaskStates?.[name]?.Restarts ?? 0));
  }
  const known = new Set(killsIn(before));
  if (killsIn(after).some((kill) => !known.has(kill))) sum.oomKills = 1;
  const became = (status: string) => after.ClientStatus === status && before?.ClientStatus !== status;
  if (became("failed")) sum.failedAllocations = 1;
  if (wasReplaced(after) && !(before !== undefined && wasReplaced(before))) sum.reschedules = 1;
  if (became("complete") && after.JobType === "batch") counts.lastSuccess = at / 1000;
  if (Object.values(sum).every((count) => count === 0)) return;
  const name = isKnown ? (after.TaskGroup ?? "") : "other";
  const group = counts.groups.get(name) ?? none();
  counts.groups.set(name, group);
  for (const kind of Object.keys(sum) as (keyof typeof sum)[]) group[kind] += sum[kind];
}

function wasReplaced({ DesiredDescription, ClientStatus = "", NextAllocation = "" }: Stub): boolean {
  if (DesiredDescription === "alloc was rescheduled because it failed") return true;
  return ["failed", "lost", "unknown"].includes(ClientStatus) && NextAllocation !== "";
}

function killsIn(stub: Stub | undefined): string[] {
  return Object.entries(stub?.TaskStates ?? {}).flatMap(([task, { Events }]) =>
    Events.filter(({ Details }) => Details["oom_killed"] === "true").map(({ Time }) => `${task} ${Time}`),
  );
}
