import { streamedObject } from "../full-object.ts";
import { PieceWriter, renderPieces } from "../go-json.ts";
import type { Random } from "../random.ts";
import type { Row } from "../store/row.ts";
import type { Commit, Op } from "../store/state.ts";
import type { TableName } from "../store/tables.ts";

type Topic = "ACLPolicy" | "ACLToken" | "Allocation" | "Deployment" | "Evaluation" | "Job" | "Node";

/** What the event stream says of one written row. */
export interface StreamEvent {
  readonly topic: Topic;
  readonly type: string;
  readonly key: string;
  /** "" for what is cluster-wide. */
  readonly namespace: string;
  /** What else it can be asked for by; null where there is nothing. An empty text stands for no deployment. */
  readonly filterKeys: readonly string[] | null;
  readonly row: Row;
  readonly deleted: boolean;
}

/** The events of one commit of the state store. */
export interface Frame {
  readonly index: number;
  readonly events: readonly StreamEvent[];
}

const TOPICS: Partial<Record<TableName, Topic>> = {
  jobs: "Job",
  nodes: "Node",
  allocations: "Allocation",
  deployments: "Deployment",
  evaluations: "Evaluation",
  policies: "ACLPolicy",
  tokens: "ACLToken",
};

/** Rows whose going makes an event; the others go silently, with a purged job too. */
const TOLD_DELETED: ReadonlySet<TableName> = new Set(["jobs", "nodes", "policies", "tokens"]);

/**
 * The frames of one raft entry. Registering and deregistering a job commits twice, the job first and then its new
 * evaluation: two frames with one index.
 */
export function framesOf(commit: Commit): Frame[] {
  if (commit.type === "silent") return [];
  const twice = commit.type === "JobRegistered" || commit.type === "JobDeregistered";
  const isLate = (op: Op): boolean => twice && op.table === "evaluations" && op.before === undefined;
  const frames = [commit.ops.filter((op) => !isLate(op)), commit.ops.filter(isLate)].map((ops) => ({
    index: commit.index,
    events: ops.flatMap((op) => eventsOf(op, commit.type)),
  }));
  return frames.filter(({ events }) => events.length > 0);
}

function eventsOf(op: Op, type: string): StreamEvent[] {
  const topic = TOPICS[op.table];
  const row = op.after ?? op.before;
  // A summary is a table of its own in Nomad, without events.
  if (topic === undefined || row === undefined || !op.trees.includes(op.table)) return [];
  const deleted = op.after === undefined;
  if (deleted && !TOLD_DELETED.has(op.table)) return [];
  const namespace = row.namespace === "-" ? "" : row.namespace;
  return [{ topic, type, key: row.key, namespace, filterKeys: filterKeysOf(row), row, deleted }];
}

function filterKeysOf(row: Row): string[] | null {
  if (isOf(row, "evaluations")) return [row.stub.JobID, row.stub.DeploymentID ?? ""];
  if (isOf(row, "allocations")) return [row.stub.JobID, row.model.deploymentId];
  return isOf(row, "deployments") ? [row.stub.JobID] : null;
}

function isOf<T extends TableName>(row: Row, table: T): row is Row<T> {
  return row.table === table;
}

/** The frame as one line. Maps come in another order each time, also when the same frame is asked for again. */
export function frameLine({ index, events }: Frame, random: Random): Buffer {
  const out = [Buffer.from(`{"Events":[`)];
  events.forEach((event, position) => {
    if (position > 0) out.push(Buffer.from(","));
    renderEvent(event, index, out, random);
  });
  out.push(Buffer.from(`],"Index":${index}}\n`));
  return Buffer.concat(out);
}

function renderEvent(event: StreamEvent, index: number, out: Buffer[], random: Random): void {
  const { topic, type, key, namespace, filterKeys, row, deleted } = event;
  const head = new PieceWriter()
    .raw(`{"FilterKeys":`)
    .value(filterKeys)
    .raw(`,"Index":${index},"Key":`)
    .value(key)
    .raw(`,"Namespace":`)
    .value(namespace)
    .raw(`,"Payload":{${deleted && topic === "Job" ? `"Deleted":true,` : ""}"${topic}":`);
  renderPieces(head.finish(), out);
  renderPieces(streamedObject(row), out, random);
  out.push(Buffer.from(`},"Topic":"${topic}","Type":"${type}"}`));
}
