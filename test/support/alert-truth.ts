import type { Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { parseExact, isJsonObject, stringField, type JsonObject } from "../../src/schemas/json.ts";
import { MINUTE } from "./alert-feed.ts";

type Tables = Simulator["cluster"]["state"]["tables"];
type Allocation = ReturnType<Tables["allocations"]["at"]> & {};

/** What happened, as it was seen poll by poll: what no state shows afterwards. */
export interface Happenings {
  /** Restarts and kills for lack of memory, of versions of groups. */
  readonly restarts: Happening[];
  readonly kills: Happening[];
  /** Nodes that were there and were lost. */
  readonly losses: { readonly node: string; readonly at: number }[];
  /** Raft index of the newest allocation of a batch group that completed, by `namespace/job/group`. */
  readonly completed: Map<string, number>;
}

export interface Happening {
  readonly namespace: string;
  readonly job: string;
  readonly group: string;
  readonly version: number;
  readonly isBatch: boolean;
  readonly at: number;
  readonly count: number;
}

/** Settings of the rules that the truth needs; all else about them is written out below. */
export interface TruthSettings {
  readonly flapping: { readonly atLeast: number; readonly withinMs: number };
  readonly oomWithinMs: number;
  readonly nodeFlapping: { readonly atLeast: number; readonly withinMs: number };
  readonly drainLongerThanMs: number;
}

export const parentOf = (job: string): string => job.replace(/\/(periodic|dispatch)-\d+(-[0-9a-f]{8})?$/, "");

/**
 * What fires at `now`, where nothing happened for longer than any rule waits: straight from the simulated cluster's
 * tables, without a model, events, or memory beside the happenings.
 */
export function expectedAlerts(
  tables: Tables,
  happenings: Happenings,
  settings: TruthSettings,
  now: number,
): string[] {
  const jobs = [...tables.jobs.values()].filter(
    ({ namespace, key }) => tables.namespaces.get("-", namespace) !== undefined && parentOf(key) === key,
  );
  return [
    ...jobs.flatMap((job) => ofJob(tables, job.namespace, job.key, now)),
    ...jobs.flatMap((job) => ofGroups(tables, job.namespace, job.key, { happenings, settings, now })),
    ...[...tables.nodes.values()].flatMap((node) => ofNode(tables, node.key, { happenings, settings, now })),
  ].toSorted();
}

/** As Nomad does when a job is purged; the simulator leaves them blocked for ever. */
export function cancelOrphans({ cluster }: Simulator): void {
  const { evaluations, jobs } = cluster.state.tables;
  const orphans = [...evaluations.values()].filter(({ namespace, stub }) => {
    const job = jobs.get(namespace, stub.JobID);
    return stub.Status === "blocked" && (job === undefined || job.stub.CreateIndex > stub.CreateIndex);
  });
  if (orphans.length > 0) cluster.deleteEvaluations(orphans.map(({ key }) => key));
}

/** Notes that a batch allocation completed, of which no state may tell afterwards. */
export function noteCompletion({ completed }: Pick<Happenings, "completed">, stub: JsonObject): void {
  if (stub["JobType"] !== "batch" || stub["ClientStatus"] !== "complete" || stub["DesiredStatus"] !== "run")
    return;
  const of = (field: string): string => stringField(stub, field) ?? "";
  const key = `${of("Namespace")}/${parentOf(of("JobID"))}/${of("TaskGroup")}`;
  completed.set(key, Math.max(completed.get(key) ?? 0, Number(stub["CreateIndex"])));
}

export function stubIn(text: string): JsonObject {
  const stub = parseExact(text);
  if (!isJsonObject(stub)) throw new TypeError("a stub is an object");
  return stub;
}

interface Asked {
  readonly happenings: Happenings;
  readonly settings: TruthSettings;
  readonly now: number;
}

const ACTIVE = ["running", "paused"];

function deploymentsOf(tables: Tables, namespace: string, job: string) {
  return [...tables.deployments.values()]
    .filter(({ namespace: its, stub }) => its === namespace && stub.JobID === job)
    .map(({ stub }) => stub);
}

function ofJob(tables: Tables, namespace: string, job: string, now: number): string[] {
  const fired: string[] = [];
  const deployments = deploymentsOf(tables, namespace, job);
  const isStopped = tables.jobs.get(namespace, job)?.stub.Stop === true;
  const ended = deployments.filter(({ Status }) => Status === "failed" || Status === "successful");
  const last = ended.toSorted((a, b) => a.CreateIndex - b.CreateIndex).at(-1);
  if (last?.Status === "failed" && !isStopped) fired.push("DeploymentFailed");
  const active = deployments
    .filter(({ Status }) => Status === "running")
    .map((deployment) => {
      const groups = [...deployment.TaskGroups.values()];
      const canaries = groups.every((group) => group.HealthyAllocs >= group.DesiredCanaries);
      const waits = deployment.StatusDescription.includes("requires manual promotion") && canaries;
      const times = groups
        .map((group) => Date.parse(group.RequireProgressBy ?? ""))
        .filter((time) => time > 0);
      return {
        waits,
        deadline: times.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...times),
        index: deployment.CreateIndex,
      };
    })
    .toSorted((a, b) => a.index - b.index);
  if (active.some(({ waits }) => waits)) fired.push("DeploymentNeedsPromotion");
  const running = active.filter(({ waits }) => !waits).at(-1);
  if (running !== undefined && running.deadline + 5 * MINUTE <= now) fired.push("DeploymentStuck");
  const isBlocked = [...tables.evaluations.values()].some(
    ({ namespace: its, stub }) =>
      its === namespace && stub.Status === "blocked" && parentOf(stub.JobID) === job,
  );
  if (isBlocked) fired.push("PlacementBlocked");
  return fired.map((rule) => `${rule} ${namespace}/${job}`);
}

/** The versions of a job that a deployment answers for. */
function toldVersions(tables: Tables, namespace: string, job: string): Set<number> {
  const telling = deploymentsOf(tables, namespace, job).filter(({ Status }) =>
    [...ACTIVE, "failed"].includes(Status),
  );
  return new Set(telling.map(({ JobVersion }) => JobVersion));
}

function ofGroups(tables: Tables, namespace: string, job: string, asked: Asked): string[] {
  const { Stop, Periodic, ParameterizedJob } = tables.jobs.get(namespace, job)?.stub ?? {};
  // What failed before is failed for good, and still to run. Children go on.
  if (Stop === true && Periodic !== true && ParameterizedJob !== true) return [];
  const told = toldVersions(tables, namespace, job);
  const isOf = (its: { namespace: string; job: string }): boolean =>
    its.namespace === namespace && parentOf(its.job) === job;
  const failing = [...tables.allocations.values()]
    .filter(({ namespace: its, stub }) => isOf({ namespace: its, job: stub.JobID }))
    .filter((row) => isFailing(row, asked.happenings.completed))
    .filter(({ stub }) => stub.JobType === "batch" || !told.has(stub.JobVersion));
  const counted = (all: readonly Happening[], withinMs: number) =>
    all
      .filter((one) => isOf(one) && (one.isBatch || !told.has(one.version)))
      .filter(({ at }) => at > asked.now - withinMs);
  const restarts = counted(asked.happenings.restarts, asked.settings.flapping.withinMs);
  const kills = counted(asked.happenings.kills, asked.settings.oomWithinMs);
  const groups = new Set([
    ...failing.map(({ stub }) => stub.TaskGroup),
    ...[...restarts, ...kills].map(({ group }) => group),
  ]);
  return [...groups].flatMap((group) => {
    const own = failing.filter(({ stub }) => stub.TaskGroup === group);
    const restarted = restarts
      .filter((one) => one.group === group)
      .reduce((sum, { count }) => sum + count, 0);
    return rulesOfGroup({
      failing: own.length,
      exhausted: own.filter(({ stub }) => (stub.RescheduleTracker?.Events.length ?? 0) > 0).length,
      flaps: restarted >= asked.settings.flapping.atLeast,
      killed: kills.some((one) => one.group === group),
    }).map((rule) => `${rule} ${namespace}/${job}/${group}`);
  });
}

function rulesOfGroup(of: { failing: number; exhausted: number; flaps: boolean; killed: boolean }): string[] {
  if (of.exhausted > 0) return ["JobExhausted"];
  if (of.failing > 0) return ["JobFailing"];
  return [...(of.flaps ? ["JobFlapping"] : []), ...(of.killed ? ["OomKilled"] : [])];
}

function isFailing({ namespace, stub }: Allocation, completed: ReadonlyMap<string, number>): boolean {
  if (stub.ClientStatus !== "failed" || stub.DesiredStatus !== "run" || stub.NextAllocation !== "")
    return false;
  if (stub.JobType !== "batch") return true;
  const done = completed.get(`${namespace}/${parentOf(stub.JobID)}/${stub.TaskGroup}`) ?? 0;
  return stub.CreateIndex >= done;
}

function ofNode(tables: Tables, id: string, { happenings, settings, now }: Asked): string[] {
  const stub = tables.nodes.get("-", id)?.stub;
  if (stub === undefined) return [];
  const isDrained = !stub.Drain && stub.LastDrain?.Status === "complete";
  const isOut = isDrained && stub.SchedulingEligibility === "ineligible";
  const say = (...rules: string[]): string[] => rules.map((rule) => `${rule} ${id}`);
  if (stub.Status === "down" && !isOut) return say("NodeDown");
  if (stub.Status === "disconnected") return say("NodeDisconnected");
  const lost = happenings.losses.filter(
    ({ node, at }) => node === id && at > now - settings.nodeFlapping.withinMs,
  );
  const since = Date.parse(stub.LastDrain?.StartedAt ?? "");
  const left = [...tables.allocations.values()].filter(
    ({ stub: allocation }) =>
      allocation.NodeID === id &&
      ["running", "pending"].includes(allocation.ClientStatus) &&
      (allocation.DesiredStatus !== "run" || allocation.DesiredTransition.Migrate === true),
  );
  const broken = [...stub.Drivers.values()].some((driver) => driver.Detected && !driver.Healthy);
  return say(
    ...(lost.length >= settings.nodeFlapping.atLeast ? ["NodeFlapping"] : []),
    ...(stub.Drain && since + settings.drainLongerThanMs <= now ? ["NodeDrainSlow"] : []),
    ...(isOut && stub.Status !== "down" && left.length > 0 ? ["NodeDrainIncomplete"] : []),
    ...(broken ? ["DriverUnhealthy"] : []),
  );
}
