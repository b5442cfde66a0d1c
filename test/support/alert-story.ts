import type { ResourceType } from "../../src/schemas/resources.ts";
import { HOUR, MINUTE } from "./alert-feed.ts";
import { SAMPLES, taskOf } from "./event-fixtures.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An object became so, or is no more. */
export interface StoryChange {
  readonly resource: ResourceType;
  /** Which object: no two of a resource have the same. */
  readonly name: string;
  readonly after: Fields | undefined;
}

export const STORY_BEGIN = Date.parse("2026-11-29T03:00:00Z");

/** What may happen; where there is nothing that it could happen to, it does not. */
export const DEEDS = [
  "run",
  "runBlocked",
  "deploy",
  "unblock",
  "fail",
  "reschedule",
  "giveUp",
  "restart",
  "runOutOfMemory",
  "finish",
  "stop",
  "purge",
  "collect",
  "collectJob",
  "succeedDeployment",
  "failDeployment",
  "awaitPromotion",
  "promote",
  "registerParent",
  "launch",
  "launchBlocked",
  "loseNode",
  "disconnectNode",
  "bringNodeBack",
  "drainNode",
  "finishDrain",
  "breakDriver",
  "removeNode",
  "removeNamespace",
  "createNamespace",
] as const;
export type Deed = (typeof DEEDS)[number];

const JOBS = ["default/web", "qa/web"];
const PARENTS = ["default/backup", "qa/report"];
const NODES = ["n1", "n2"];
const ALIVE = ["running", "pending", "unknown"];
const ENDED = ["failed", "successful", "cancelled"];

/** A small Nomad to which things happen, as Nomad would write them: what it lists changes one object at a time. */
export class AlertStory {
  readonly changes: StoryChange[] = [];
  readonly objects = new Map<ResourceType, Map<string, Fields>>();
  #index = 1000;
  #number = 0;
  #launches = 0;

  constructor() {
    for (const name of ["default", "qa"]) this.#put("namespaces", name, { Name: name });
    for (const name of NODES) this.#put("nodes", name, { ID: name, Name: name });
  }

  /** `which` of those to which it can happen. */
  do(deed: Deed, which: number): void {
    this.#index += 1;
    this[deed](which);
  }

  protected run(which: number): void {
    const job = this.#register(pick(JOBS, which));
    if (job !== undefined) this.#place(job);
  }

  protected runBlocked(which: number): void {
    const job = this.#register(pick(JOBS, which));
    if (job !== undefined) this.#block(job);
  }

  protected deploy(which: number): void {
    const job = this.#register(pick(JOBS, which));
    if (job === undefined) return;
    this.#cancelDeployments(job);
    const group = {
      DesiredCanaries: 1,
      DesiredTotal: 1,
      PlacedAllocs: 1,
      HealthyAllocs: 0,
      UnhealthyAllocs: 0,
    };
    const RequireProgressBy = new Date(STORY_BEGIN + 10 * MINUTE).toISOString();
    const own = { ...ofJob(job), Status: "running", JobVersion: job["Version"] };
    this.#create("deployments", { ...own, TaskGroups: { frontend: { ...group, RequireProgressBy } } });
    this.#place(job);
  }

  protected unblock(which: number): void {
    const evaluation = pick(this.#all("evaluations", { Status: ["blocked"] }), which);
    if (evaluation === undefined) return;
    this.#change("evaluations", evaluation, { Status: "complete" });
    const job = this.#job(evaluation);
    if (job !== undefined) this.#place(job);
  }

  protected fail(which: number): void {
    const [allocation] = this.#running(which);
    if (allocation !== undefined) this.#fails(allocation, {});
  }

  protected giveUp(which: number): void {
    const [allocation] = this.#running(which);
    if (allocation !== undefined)
      this.#fails(allocation, { RescheduleTracker: { Events: [{ PrevAllocID: "a" }] } });
  }

  protected reschedule(which: number): void {
    const failed = this.#all("allocations", { ClientStatus: ["failed", "lost"] }).filter(
      (allocation) => text(allocation, "NextAllocation") === "" && this.#wants(allocation),
    );
    const allocation = pick(failed, which);
    const job = allocation && this.#job(allocation);
    if (allocation === undefined || job === undefined) return;
    const NextAllocation = this.#place(job);
    if (NextAllocation !== undefined) this.#change("allocations", allocation, { NextAllocation });
  }

  protected restart(which: number): void {
    const [allocation] = this.#running(which);
    if (allocation === undefined) return;
    const Restarts = Number(allocation["restarts"] ?? 0) + 1;
    this.#change("allocations", allocation, {
      restarts: Restarts,
      TaskStates: { nginx: taskOf({ Restarts }) },
    });
  }

  protected runOutOfMemory(which: number): void {
    const [allocation] = this.#running(which);
    if (allocation === undefined) return;
    const exit = { exit_code: "137", oom_killed: "true" };
    this.#change("allocations", allocation, {
      TaskStates: { nginx: taskOf({}, [["Terminated", this.#index, exit]]) },
    });
  }

  protected finish(which: number): void {
    const [allocation] = this.#running(which, ({ JobType }) => JobType === "batch");
    if (allocation !== undefined) this.#change("allocations", allocation, { ClientStatus: "complete" });
  }

  protected stop(which: number): void {
    const job = pick(this.#all("jobs", { Stop: [false] }), which);
    if (job === undefined) return;
    this.#change("jobs", job, { Stop: true, Status: "dead" });
    this.#wind(job);
  }

  /** Not one that has runs: what they made good would not be known in the same way to Nomad and to whoever saw it. */
  protected purge(which: number): void {
    const jobs = this.#all("jobs", { ParentID: [""] }).filter(
      ({ Namespace, ID }) => this.#all("jobs", { Namespace: [Namespace], ParentID: [ID] }).length === 0,
    );
    const job = pick(jobs, which);
    if (job === undefined) return;
    this.#remove("jobs", `${text(job, "Namespace")}/${text(job, "ID")}`);
    this.#wind(job);
    this.#forgetRuns(job);
  }

  /** What is over is forgotten, but for the children of jobs. */
  protected collect(): void {
    for (const allocation of this.#all("allocations", { JobType: ["service"] })) {
      const isOver = !ALIVE.includes(text(allocation, "ClientStatus"));
      if (isOver && !this.#wants(allocation)) this.#remove("allocations", text(allocation, "ID"));
    }
    for (const evaluation of this.#all("evaluations", { Status: ["complete", "canceled"] }))
      this.#remove("evaluations", text(evaluation, "ID"));
    for (const deployment of this.#all("deployments", { Status: ENDED }))
      this.#remove("deployments", text(deployment, "ID"));
  }

  /** The oldest run of a batch job, once it is over. */
  protected collectJob(): void {
    const [child] = this.#all("jobs", {}).filter((job) => text(job, "ParentID") !== "");
    if (child === undefined) return;
    const isOver =
      this.#all("allocations", { ClientStatus: ALIVE }).every((allocation) => !isOf(allocation, child)) &&
      this.#all("evaluations", { Status: ["blocked"] }).every((evaluation) => !isOf(evaluation, child));
    const [own, others] = [true, false].map((isOwn) =>
      this.#all("allocations", { JobType: ["batch"] }).filter((one) => isOf(one, child) === isOwn),
    );
    // What it made good by completing, nobody could read from the objects any more.
    const madeGood =
      own?.some(({ ClientStatus }) => ClientStatus === "complete") === true && others?.length !== 0;
    if (!isOver || madeGood) return;
    this.#remove("jobs", `${text(child, "Namespace")}/${text(child, "ID")}`);
    this.#forgetRuns(child);
    for (const evaluation of this.#all("evaluations", {}))
      if (isOf(evaluation, child)) this.#remove("evaluations", text(evaluation, "ID"));
  }

  protected succeedDeployment(which: number): void {
    this.#deployment(which, { Status: "successful", StatusDescription: "Deployment completed successfully" });
  }

  protected failDeployment(which: number): void {
    this.#deployment(which, { Status: "failed", StatusDescription: "Failed due to unhealthy allocations" });
  }

  protected awaitPromotion(which: number): void {
    const deployment = pick(this.#all("deployments", { Status: ["running"] }), which);
    const { frontend } = (deployment?.["TaskGroups"] ?? {}) as { frontend?: Fields };
    const StatusDescription = "Deployment is running but requires manual promotion";
    this.#deployment(which, {
      StatusDescription,
      TaskGroups: { frontend: { ...frontend, HealthyAllocs: 1 } },
    });
  }

  protected promote(which: number): void {
    this.#deployment(which, { StatusDescription: "Deployment is running" });
  }

  protected registerParent(which: number): void {
    const [namespace, ID] = split(pick(PARENTS, which));
    const kind = ID === "backup" ? { Periodic: true } : { ParameterizedJob: true };
    this.#register(`${namespace}/${ID}`, { Type: "batch", ...kind });
  }

  protected launch(which: number): void {
    const child = this.#launched(which);
    if (child !== undefined) this.#place(child);
  }

  protected launchBlocked(which: number): void {
    const child = this.#launched(which);
    if (child !== undefined) this.#block(child);
  }

  protected loseNode(which: number): void {
    this.#node(which, { Status: "down" }, "lost");
  }

  protected disconnectNode(which: number): void {
    this.#node(which, { Status: "disconnected" }, "unknown");
  }

  protected bringNodeBack(which: number): void {
    const node = pick(NODES, which);
    const eligible = { Status: "ready", SchedulingEligibility: "eligible", Drain: false };
    const sound = { ID: node, Name: node, ...eligible, Drivers: SAMPLES.nodes["Drivers"] };
    this.#put("nodes", node, { ...this.objects.get("nodes")?.get(node), ...sound });
    for (const allocation of this.#all("allocations", { NodeID: [node], ClientStatus: ["unknown"] }))
      this.#change("allocations", allocation, { ClientStatus: "running" });
  }

  protected drainNode(which: number): void {
    const StartedAt = new Date(STORY_BEGIN - HOUR).toISOString();
    const drain = {
      Drain: true,
      SchedulingEligibility: "ineligible",
      LastDrain: { StartedAt, Status: "draining" },
    };
    const id = this.#node(which, drain);
    for (const allocation of this.#all("allocations", { NodeID: [id], ClientStatus: ["running"] }))
      this.#change("allocations", allocation, { DesiredTransition: { Migrate: true } });
  }

  protected finishDrain(which: number): void {
    const node = pick(this.#all("nodes", { Drain: [true] }), which);
    if (node === undefined) return;
    this.#change("nodes", node, {
      Drain: false,
      LastDrain: { ...(node["LastDrain"] as Fields), Status: "complete" },
    });
    const moved = this.#all("allocations", { NodeID: [node["ID"]], ClientStatus: ["running"] });
    for (const allocation of moved.slice(which % 2))
      this.#change("allocations", allocation, { ClientStatus: "complete", DesiredStatus: "stop" });
  }

  protected breakDriver(which: number): void {
    const docker = { Attributes: {}, Detected: true, Healthy: false, HealthDescription: "no daemon" };
    this.#node(which, { Drivers: { docker } });
  }

  protected removeNode(which: number): void {
    const node = pick(this.#all("nodes", { Status: ["down"] }), which);
    if (node !== undefined) this.#remove("nodes", text(node, "ID"));
  }

  /** Nomad does so where none of its jobs runs. */
  protected removeNamespace(): void {
    if (this.#all("jobs", { Namespace: ["qa"], Stop: [false] }).length === 0)
      this.#remove("namespaces", "qa");
  }

  protected createNamespace(): void {
    if (!this.objects.get("namespaces")?.has("qa")) this.#put("namespaces", "qa", { Name: "qa" });
  }

  #register(name: string, fields: Fields = {}): Fields | undefined {
    const [Namespace, ID] = split(name);
    if (!this.objects.get("namespaces")?.has(Namespace)) return undefined;
    const known = this.objects.get("jobs")?.get(name);
    const Version = known === undefined ? 0 : Number(known["Version"]) + 1;
    const job = { ...known, ID, Name: ID, Namespace, Stop: false, Status: "running", Version, ...fields };
    return this.#put("jobs", name, { ...job, JobModifyIndex: this.#index });
  }

  #launched(which: number): Fields | undefined {
    const parents = this.#all("jobs", { Type: ["batch"], ParentID: [""], Stop: [false] });
    const parent = pick(parents, which);
    if (parent === undefined) return undefined;
    this.#launches += 1;
    const at = STORY_BEGIN / 1000 + this.#launches * 60;
    const ID = `${text(parent, "ID")}/${parent["Periodic"] === true ? `periodic-${at}` : `dispatch-${at}-0000abcd`}`;
    return this.#register(`${text(parent, "Namespace")}/${ID}`, { Type: "batch", ParentID: parent["ID"] });
  }

  /** A new allocation in place of those of older versions. */
  #place(job: Fields): string | undefined {
    const node = pick(
      this.#all("nodes", { Status: ["ready"], SchedulingEligibility: ["eligible"] }),
      this.#number,
    );
    if (node === undefined) {
      this.#block(job);
      return undefined;
    }
    const own = { ...ofJob(job), JobType: job["Type"], JobVersion: job["Version"] };
    for (const older of this.#all("allocations", { DesiredStatus: ["run"], ClientStatus: ["running"] }))
      if (isOf(older, job))
        this.#change("allocations", older, { DesiredStatus: "stop", ClientStatus: "complete" });
    this.#endWaiting(job);
    return this.#create("allocations", {
      ...own,
      NodeID: node["ID"],
      NodeName: node["Name"],
      NextAllocation: "",
    });
  }

  #block(job: Fields): void {
    this.#endWaiting(job);
    this.#create("evaluations", { ...ofJob(job), Status: "blocked", FailedTGAllocs: null });
  }

  #endWaiting(job: Fields): void {
    for (const evaluation of this.#all("evaluations", { Status: ["blocked"] }))
      if (isOf(evaluation, job)) this.#change("evaluations", evaluation, { Status: "canceled" });
  }

  #cancelDeployments(job: Fields): void {
    for (const deployment of this.#all("deployments", { Status: ["running"] }))
      if (isOf(deployment, job)) this.#change("deployments", deployment, { Status: "cancelled" });
  }

  /** The job is stopped or purged: nothing of it goes on. Those that ended before Nomad leaves as they are. */
  #wind(job: Fields): void {
    for (const allocation of this.#all("allocations", { DesiredStatus: ["run"], ClientStatus: ALIVE }))
      if (isOf(allocation, job))
        this.#change("allocations", allocation, { DesiredStatus: "stop", ClientStatus: "complete" });
    this.#endWaiting(job);
    this.#cancelDeployments(job);
  }

  #forgetRuns(job: Fields): void {
    for (const allocation of this.#all("allocations", {}))
      if (isOf(allocation, job)) this.#remove("allocations", text(allocation, "ID"));
  }

  #fails(allocation: Fields, fields: Fields): void {
    const exit = { exit_code: "1", oom_killed: "false" };
    const nginx = taskOf({ State: "dead", Failed: true }, [["Terminated", this.#index, exit]]);
    this.#change("allocations", allocation, { ClientStatus: "failed", TaskStates: { nginx }, ...fields });
  }

  #deployment(which: number, fields: Fields): void {
    const deployment = pick(this.#all("deployments", { Status: ["running"] }), which);
    if (deployment !== undefined) this.#change("deployments", deployment, fields);
  }

  /** Changes a node that is there; `fate` of what runs on it. */
  #node(which: number, fields: Fields, fate?: "lost" | "unknown"): string {
    const node = pick(this.#all("nodes", {}), which);
    if (node === undefined) return "";
    this.#change("nodes", node, fields);
    if (fate === undefined) return text(node, "ID");
    for (const allocation of this.#all("allocations", { NodeID: [node["ID"]], ClientStatus: ALIVE })) {
      const ended = fate === "lost" ? { DesiredStatus: "stop" } : {};
      this.#change("allocations", allocation, { ClientStatus: fate, ...ended });
    }
    return text(node, "ID");
  }

  #running(which: number, fits: (allocation: Fields) => boolean = () => true): Fields[] {
    const running = this.#all("allocations", { ClientStatus: ["running"], DesiredStatus: ["run"] }).filter(
      fits,
    );
    const one = pick(running, which);
    return one === undefined ? [] : [one];
  }

  /** Whether its job would have it. */
  #wants(allocation: Fields): boolean {
    return this.#job(allocation)?.["Stop"] === false && allocation["DesiredStatus"] === "run";
  }

  #job(of: Fields): Fields | undefined {
    return this.objects.get("jobs")?.get(`${text(of, "Namespace")}/${text(of, "JobID")}`);
  }

  #all(resource: ResourceType, where: Readonly<Record<string, readonly unknown[]>>): Fields[] {
    return [...(this.objects.get(resource)?.values() ?? [])].filter((fields) =>
      Object.entries(where).every(([name, values]) => values.includes(fields[name])),
    );
  }

  #create(resource: ResourceType, fields: Fields): string {
    this.#number += 1;
    // The order of their names is not that of their lives.
    const ID = `${(this.#number * 7919) % 10_007}-${this.#number}`;
    this.#put(resource, ID, { ...fields, ID });
    return ID;
  }

  #change(resource: ResourceType, object: Fields, fields: Fields): void {
    const id = text(object, "ID");
    this.#put(resource, resource === "jobs" ? `${text(object, "Namespace")}/${id}` : id, fields);
  }

  #put(resource: ResourceType, name: string, fields: Fields): Fields {
    const all = this.objects.get(resource) ?? new Map<string, Fields>();
    this.objects.set(resource, all);
    this.#index += 1;
    const born = { ...SAMPLES[resource], CreateIndex: this.#index };
    const after = { ...(all.get(name) ?? born), ...fields, ModifyIndex: this.#index };
    all.set(name, after);
    this.changes.push({ resource, name, after });
    return after;
  }

  #remove(resource: ResourceType, name: string): void {
    if (this.objects.get(resource)?.delete(name) === true)
      this.changes.push({ resource, name, after: undefined });
  }
}

function pick<Item>(items: readonly Item[], which: number): Item {
  return items[which % items.length] as Item;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function split(name: string): [namespace: string, id: string] {
  const at = name.indexOf("/");
  return [name.slice(0, at), name.slice(at + 1)];
}

const ofJob = (job: Fields) => ({ Namespace: job["Namespace"], JobID: job["ID"] });

const isOf = (object: Fields, job: Fields): boolean =>
  object["Namespace"] === job["Namespace"] && object["JobID"] === job["ID"];
