import type { AllocationStub, ClientStatus, TaskState } from "../model/allocation.ts";
import type { DeploymentStub } from "../model/deployment.ts";
import type { NodeStatus } from "../model/node.ts";
import type { Raft } from "../raft.ts";
import type { MessageType } from "../store/message-type.ts";
import type { PlainFields, PlainTable } from "../store/plain-tables.ts";
import type { Row } from "../store/row.ts";
import { jobGroup, type State } from "../store/state.ts";
import type { TableName } from "../store/tables.ts";
import {
  directAllocation,
  placeAllocation,
  receivedTasks,
  reportStatus,
  reportTasks,
  type Allocation,
} from "./allocations.ts";
import {
  createDeployment,
  promoteDeployment,
  recordHealth,
  recordPlacement,
  updateDeployment,
} from "./deployments.ts";
import { completeEvaluation, createEvaluation } from "./evaluations.ts";
import { findGarbage, remove } from "./gc.ts";
import * as jobs from "./jobs.ts";
import { putNamespace, type NamespaceInput } from "./namespaces.ts";
import * as nodes from "./nodes.ts";
import { putPlain, removePlain } from "./plain.ts";
import { refreshJobStatus } from "./summary.ts";
import * as tasks from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Direct writers: each call is one raft entry unless it says otherwise, visible at once. A name or id that
 * does not exist is a RangeError.
 */
export class Cluster {
  readonly #raft: Raft;

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  get state(): State {
    return this.#raft.leader.state;
  }

  /** One raft entry of several writes. */
  write<T>(type: MessageType, build: (tx: Transaction) => T): T {
    return this.#raft.write(type, build);
  }

  createNamespace(name: string, input: NamespaceInput = {}): void {
    this.write("silent", (tx) => putNamespace(tx, name, input));
  }

  updateNamespace(name: string, input: NamespaceInput): void {
    this.#row("namespaces", "-", name);
    this.write("silent", (tx) => putNamespace(tx, name, input));
  }

  /** @throws RangeError where the namespace is the default one or has a job that is not dead. */
  deleteNamespace(name: string): void {
    const row = this.#row("namespaces", "-", name);
    if (name === "default") throw new RangeError("default namespace can not be deleted");
    const alive = [...this.state.tables.jobs.values()].find(
      (job) => job.namespace === name && job.stub.Status !== "dead",
    );
    if (alive !== undefined)
      throw new RangeError(`namespace "${name}" contains at least one non-terminal job "${alive.key}"`);
    this.write("silent", (tx) => tx.delete(row));
  }

  /** Writes an object that has no life of its own here, new or not, with the fields that Nomad lists. */
  put(table: PlainTable, fields: PlainFields): void {
    this.write("silent", (tx) => putPlain(tx, table, fields));
  }

  /** By its namespace and key. */
  remove(table: PlainTable, fields: PlainFields): void {
    this.write("silent", (tx) => removePlain(tx, table, fields));
  }

  /** Returns the node's id. */
  registerNode(input: nodes.NodeInput = {}): string {
    return this.write("NodeRegistration", (tx) => nodes.registerNode(tx, input)).key;
  }

  setNodeStatus(id: string, status: NodeStatus): void {
    this.write("NodeStreamEvent", (tx) => nodes.setNodeStatus(tx, this.#row("nodes", "-", id), status));
  }

  setNodeEligibility(id: string, eligible: boolean): void {
    this.write("NodeEligibility", (tx) => nodes.setEligibility(tx, this.#row("nodes", "-", id), eligible));
  }

  drainNode(id: string): void {
    this.write("NodeDrain", (tx) => nodes.startDrain(tx, this.#row("nodes", "-", id)));
  }

  endDrain(id: string, outcome: "complete" | "canceled"): void {
    this.write("NodeDrain", (tx) => nodes.endDrain(tx, this.#row("nodes", "-", id), outcome));
  }

  setDriverHealth(id: string, driver: string, healthy: boolean): void {
    this.write("NodeRegistration", (tx) =>
      nodes.setDriverHealth(tx, this.#row("nodes", "-", id), driver, healthy),
    );
  }

  /** Moves the index of the node list; no node looks different. */
  addNodeEvent(id: string, message = "Driver fingerprinted"): void {
    this.write("NodeStreamEvent", (tx) => nodes.addNodeEvent(tx, this.#row("nodes", "-", id), message));
  }

  removeNode(id: string): void {
    this.write("NodeDeregistration", (tx) => tx.delete(this.#row("nodes", "-", id)));
  }

  /** Registers a job or a new version of it, with a pending evaluation. Nothing is placed yet. */
  registerJob(input: jobs.JobInput): void {
    this.write("JobRegistered", (tx) => jobs.registerJob(tx, input));
  }

  /**
   * Registers a job and sees it running: job, placement with a deployment, tasks started, evaluation
   * complete. Several raft entries. Registers a node where there is none. Returns the allocations' ids.
   */
  runJob(input: jobs.JobInput): string[] {
    if (this.state.tables.nodes.size === 0) this.registerNode();
    const { job, evaluation } = this.write("JobRegistered", (tx) => jobs.registerJob(tx, input));
    if (evaluation === undefined) return [];
    const placed = this.write("PlanResult", (tx) => this.#place(tx, job, evaluation.key));
    this.write("AllocationUpdated", (tx) => {
      for (const row of placed) this.#start(tx, job, row);
    });
    this.write("EvaluationUpdated", (tx) => {
      const queuedFor = job.model.groups[0]?.name ?? "web";
      completeEvaluation(tx, evaluation, { group: queuedFor, placed: placed.length });
      refreshJobStatus(tx, job.namespace, job.key);
    });
    return placed.map((row) => row.key);
  }

  scaleJob(namespace: string, id: string, group: string, count: number): void {
    this.write("JobRegistered", (tx) => jobs.scaleJob(tx, this.#row("jobs", namespace, id), group, count));
  }

  stopJob(namespace: string, id: string): void {
    this.write("JobDeregistered", (tx) => jobs.stopJob(tx, this.#row("jobs", namespace, id)));
  }

  /** Removes the job with its allocations and deployments. */
  purgeJob(namespace: string, id: string): void {
    this.write("JobDeregistered", (tx) => jobs.purgeJob(tx, this.#row("jobs", namespace, id)));
  }

  /** ModifyIndex moves ahead of the index of the job list. */
  tagJobVersion(namespace: string, id: string, tag = "golden"): void {
    this.write("silent", (tx) => jobs.tagJobVersion(tx, this.#row("jobs", namespace, id), tag));
  }

  /** ModifyIndex moves, nothing else: as marking a version stable does. */
  touchJob(namespace: string, id: string): void {
    this.write("silent", (tx) => jobs.updateJob(tx, this.#row("jobs", namespace, id), {}));
  }

  allocationsOf(namespace: string, job: string): string[] {
    return this.state.tables.allocations.group(jobGroup(namespace, job)).map((row) => row.key);
  }

  /** Sets what the node's client reports, tasks left as they are. */
  setAllocStatus(id: string, status: ClientStatus): void {
    this.write("AllocationUpdated", (tx) => reportStatus(tx, this.#row("allocations", "", id), status));
  }

  failAllocation(id: string, exit: tasks.Exit = { exitCode: 1 }): void {
    this.#changeTasks(id, (state, time) => tasks.fail(state, time, exit));
  }

  completeAllocation(id: string): void {
    this.#changeTasks(id, tasks.complete);
  }

  /** Restarts tasks in place: the named one, or all. */
  restartTask(id: string, exit: tasks.Exit = { exitCode: 1 }, only?: string): void {
    this.#changeTasks(id, (state, time, task) =>
      only === undefined || only === task
        ? tasks.start(tasks.restart(state, time, exit), time + 1_081_300_000n)
        : state,
    );
  }

  stopAllocation(id: string, why = "alloc not needed due to job update"): void {
    this.directAllocation(id, { DesiredDescription: why, DesiredStatus: "stop" });
  }

  /** Sets fields the servers own. */
  directAllocation(id: string, changes: Partial<AllocationStub>): void {
    this.write("AllocationUpdateDesiredStatus", (tx) =>
      directAllocation(tx, this.#row("allocations", "", id), changes),
    );
  }

  setAllocHealth(id: string, healthy: boolean): void {
    this.write("DeploymentAllocHealth", (tx) => recordHealth(tx, this.#row("allocations", "", id), healthy));
  }

  updateDeployment(id: string, changes: Partial<DeploymentStub>): void {
    this.write("DeploymentStatusUpdate", (tx) =>
      updateDeployment(tx, this.#row("deployments", "", id), changes),
    );
  }

  promoteDeployment(id: string): void {
    this.write("DeploymentPromotion", (tx) => promoteDeployment(tx, this.#row("deployments", "", id)));
  }

  /** Adds an evaluation of the job; returns its id. */
  createEvaluation(namespace: string, job: string, triggeredBy = "job-register"): string {
    return this.write("EvaluationUpdated", (tx) =>
      createEvaluation(tx, this.#row("jobs", namespace, job).stub, triggeredBy),
    ).key;
  }

  /** Removes evaluations as an operator's DELETE does: the list's index does not move. */
  deleteEvaluations(ids: readonly string[]): void {
    this.write("silent", (tx) => {
      for (const id of ids) tx.delete(this.#row("evaluations", "", id), { move: false });
    });
  }

  /** Removes everything terminal, a raft entry a kind. Returns how many objects went. */
  gc(): number {
    const garbage = findGarbage(this.state);
    const { evaluations, allocations } = garbage;
    if (evaluations.length + allocations.length > 0) {
      this.write("silent", (tx) => {
        remove(tx, evaluations);
        remove(tx, allocations);
      });
    }
    if (garbage.jobs.length > 0) this.write("JobBatchDeregistered", (tx) => remove(tx, garbage.jobs));
    for (const rows of [garbage.deployments, garbage.nodes] as const) {
      if (rows.length > 0) this.write("silent", (tx) => remove<TableName>(tx, rows));
    }
    return Object.values(garbage).reduce((sum, rows) => sum + rows.length, 0);
  }

  #place(tx: Transaction, job: jobs.Job, evalId: string): Allocation[] {
    const all = [...this.state.tables.nodes.values()];
    const eligible = all.filter(
      ({ stub }) => stub.SchedulingEligibility === "eligible" && stub.Status === "ready",
    );
    const candidates = eligible.length > 0 ? eligible : all;
    const deployment =
      job.stub.Type === "service" ? createDeployment(tx, job, job.model.version === 0) : undefined;
    const deploymentId = deployment === undefined ? {} : { deploymentId: deployment.key };
    const placed: Allocation[] = [];
    for (const { name, count } of job.model.groups) {
      const rows = Array.from({ length: count }, (_, slot) => {
        const node = tx.random.pick(candidates);
        return placeAllocation(tx, { job, group: name, slot, node, evalId, ...deploymentId });
      });
      placed.push(...rows);
      const current = deployment && tx.get("deployments", job.namespace, deployment.key);
      if (current !== undefined)
        recordPlacement(
          tx,
          current,
          name,
          rows.map((row) => row.key),
          false,
        );
    }
    return placed;
  }

  #start(tx: Transaction, job: jobs.Job, row: Allocation): void {
    const time = tx.nowNs();
    const received = receivedTasks(job, row.stub.TaskGroup, time);
    reportTasks(
      tx,
      row,
      new Map([...received].map(([task, state]) => [task, tasks.start(state, time + 21_789_346n)])),
    );
  }

  #changeTasks(id: string, change: (state: TaskState, time: bigint, task: string) => TaskState): void {
    this.write("AllocationUpdated", (tx) => {
      const row = this.#row("allocations", "", id);
      const time = tx.nowNs();
      reportTasks(
        tx,
        row,
        tasks.mapTasks(row.stub, (state, task) => change(state, time, task)),
      );
    });
  }

  #row<T extends TableName>(table: T, namespace: string, key: string): Row<T> {
    const row = this.state.table(table).get(namespace, key);
    if (row === undefined) throw new RangeError(`The simulator has no ${table} entry "${key}"`);
    return row;
  }
}
