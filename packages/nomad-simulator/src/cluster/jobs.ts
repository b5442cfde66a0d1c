import { currentVersion } from "../job-spec.ts";
import { isActiveDeployment } from "../model/deployment.ts";
import {
  EMPTY_GROUP_SUMMARY,
  type GroupSpec,
  type JobModel,
  type JobStub,
  type JobType,
} from "../model/job.ts";
import type { Row } from "../store/row.ts";
import { jobGroup } from "../store/state.ts";
import { DESCRIPTIONS, updateDeployment } from "./deployments.ts";
import { createEvaluation, type Evaluation } from "./evaluations.ts";
import { countChild, countInSummary } from "./summary.ts";
import type { Transaction } from "./transaction.ts";

export type Job = Row<"jobs">;

/** What a job needs to be registered; the rest has defaults. */
export interface JobInput {
  readonly id: string;
  /** Default "default". It need not exist: the simulator does not check. */
  readonly namespace?: string;
  readonly type?: JobType;
  readonly groups?: readonly GroupSpec[];
  readonly parentId?: string;
  readonly periodic?: boolean;
  readonly parameterized?: boolean;
  readonly priority?: number;
  readonly canaries?: number;
  readonly autoRevert?: boolean;
  readonly autoPromote?: boolean;
  readonly datacenters?: readonly string[];
  /** Accessor of the token that registers it. Default: it is as with ACLs off. */
  readonly submitter?: string;
}

const ONE_GROUP: readonly GroupSpec[] = [{ name: "web", count: 1, tasks: ["main"] }];

export interface Registration {
  readonly job: Job;
  /** None for a periodic or parameterized job, which is not scheduled itself. */
  readonly evaluation: Evaluation | undefined;
}

/** Registers a new job or a new version of one. */
export function registerJob(tx: Transaction, input: JobInput): Registration {
  const namespace = input.namespace ?? "default";
  const existing = tx.get("jobs", namespace, input.id);
  const model = modelOf(input, existing);
  const stub = existing === undefined ? newStub(tx, input, namespace, model) : nextStub(tx, input, existing);
  let job = tx.put("jobs", namespace, input.id, stub, model, { through: ["jobs", "job_summary"] });
  if (existing === undefined) countChild(tx, stub, undefined, stub.Status);
  if (stub.Periodic || stub.ParameterizedJob) return { job, evaluation: undefined };
  const evaluation = createEvaluation(
    tx,
    stub,
    stub.ParentID.length > 0 && input.id.includes("/periodic-") ? "periodic-job" : "job-register",
    {
      JobModifyIndex: tx.index,
    },
  );
  for (const group of model.groups)
    countInSummary(tx, namespace, input.id, group.name, { Queued: group.count });
  job = tx.get("jobs", namespace, input.id) as Job;
  return { job, evaluation };
}

function modelOf(input: JobInput, existing: Job | undefined): JobModel {
  const next = existing === undefined ? { version: 0, versionTag: null, past: [] } : nextVersion(existing);
  const groups = input.groups ?? existing?.model.groups ?? ONE_GROUP;
  return {
    ...next,
    // Whoever registers a job has something new.
    groups: groups.map((group) => ({ ...group, release: next.version })),
    canaries: input.canaries ?? existing?.model.canaries ?? 0,
    autoRevert: input.autoRevert ?? existing?.model.autoRevert ?? false,
    submitter: input.submitter ?? "",
    autoPromote: input.autoPromote ?? existing?.model.autoPromote ?? false,
    stable: existing?.model.stable ?? null,
  };
}

/** As many as Nomad keeps of a job by default, the newest among them. */
const TRACKED_VERSIONS = 6;

/** What of the model every new version has in common; the present one is kept behind it. */
function nextVersion(row: Job): Pick<JobModel, "version" | "versionTag" | "past"> {
  const { version, past } = row.model;
  return {
    version: version + 1,
    versionTag: null,
    past: [currentVersion(row), ...past].slice(0, TRACKED_VERSIONS - 1),
  };
}

function newStub(tx: Transaction, input: JobInput, namespace: string, model: JobModel): JobStub {
  const always = input.periodic === true || input.parameterized === true;
  return {
    CreateIndex: tx.index,
    Datacenters: input.datacenters ?? ["dc1"],
    ID: input.id,
    JobModifyIndex: tx.index,
    JobSummary: {
      Children: { Dead: 0, Pending: 0, Running: 0 },
      CreateIndex: tx.index,
      JobID: input.id,
      ModifyIndex: tx.index,
      Namespace: namespace,
      Summary: new Map(model.groups.map(({ name }) => [name, EMPTY_GROUP_SUMMARY])),
    },
    ModifyIndex: tx.index,
    Multiregion: null,
    Name: input.id,
    Namespace: namespace,
    NodePool: "default",
    ParameterizedJob: input.parameterized ?? false,
    ParentID: input.parentId ?? "",
    Periodic: input.periodic ?? false,
    Priority: input.priority ?? 50,
    Status: always || input.type === "system" ? "running" : "pending",
    StatusDescription: "",
    Stop: false,
    SubmitTime: tx.nowNs(),
    Type: input.type ?? "service",
  };
}

function nextStub(tx: Transaction, input: JobInput, existing: Job): JobStub {
  return {
    ...existing.stub,
    Datacenters: input.datacenters ?? existing.stub.Datacenters,
    JobModifyIndex: tx.index,
    ModifyIndex: tx.index,
    Priority: input.priority ?? existing.stub.Priority,
    Stop: false,
    SubmitTime: tx.nowNs(),
  };
}

/** Writes changed fields, with ModifyIndex. */
export function updateJob(
  tx: Transaction,
  row: Job,
  changes: Partial<JobStub>,
  model: Partial<JobModel> = {},
): Job {
  const stub = { ...row.stub, ...changes, ModifyIndex: tx.index };
  return tx.put("jobs", row.namespace, row.key, stub, { ...row.model, ...model });
}

export function scaleJob(tx: Transaction, row: Job, group: string, count: number): Registration {
  const groups = row.model.groups.map((spec) => (spec.name === group ? { ...spec, count } : spec));
  const job = updateJob(
    tx,
    row,
    { JobModifyIndex: tx.index, SubmitTime: tx.nowNs() },
    { groups, ...nextVersion(row) },
  );
  return { job, evaluation: createEvaluation(tx, job.stub, "job-scaling", { JobModifyIndex: tx.index }) };
}

export function stopJob(tx: Transaction, row: Job): Registration {
  const job = updateJob(tx, row, { JobModifyIndex: tx.index, Stop: true }, nextVersion(row));
  cancelDeployments(tx, row, DESCRIPTIONS.stopped);
  return { job, evaluation: createEvaluation(tx, job.stub, "job-deregister", { JobModifyIndex: tx.index }) };
}

/** Goes back to the last stable version: SubmitTime goes back with it. */
export function revertJob(tx: Transaction, row: Job): Job {
  const { stable } = row.model;
  if (stable === null) return row;
  return updateJob(
    tx,
    row,
    { JobModifyIndex: tx.index, SubmitTime: stable.submitTime },
    { groups: stable.groups, ...nextVersion(row) },
  );
}

function cancelDeployments(tx: Transaction, job: Job, why: string): void {
  for (const deployment of tx.group("deployments", jobGroup(job.namespace, job.key))) {
    if (!isActiveDeployment(deployment.stub)) continue;
    updateDeployment(tx, deployment, { Status: "cancelled", StatusDescription: why });
  }
}

/**
 * Purges a job: its deployments and allocations go at once, its pending evaluations turn complete without
 * their ModifyIndex moving, and a last evaluation says who did it.
 */
export function purgeJob(tx: Transaction, row: Job): Evaluation {
  const group = jobGroup(row.namespace, row.key);
  for (const deployment of tx.group("deployments", group)) tx.delete(deployment);
  for (const allocation of tx.group("allocations", group)) tx.delete(allocation);
  for (const evaluation of tx.group("evaluations", group)) {
    if (evaluation.stub.Status !== "pending") continue;
    const stub = {
      ...evaluation.stub,
      Status: "complete",
      StatusDescription: `job ${row.key} deleted`,
    } as const;
    tx.put("evaluations", row.namespace, evaluation.key, stub, null);
  }
  if (row.stub.Status !== "dead") countChild(tx, row.stub, row.stub.Status, "dead");
  tx.delete(row, { through: ["jobs", "job_summary"] });
  return createEvaluation(tx, row.stub, "job-deregister", { JobModifyIndex: tx.index });
}

/** Tags a version: ModifyIndex takes the raft index, the jobs index does not move. */
export function tagJobVersion(tx: Transaction, row: Job, tag: string): Job {
  const model = { ...row.model, versionTag: tag };
  return tx.put("jobs", row.namespace, row.key, { ...row.stub, ModifyIndex: tx.index }, model, {
    move: false,
  });
}
