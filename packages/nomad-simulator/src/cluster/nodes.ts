import type { DriverInfo, NodeStatus, NodeStub } from "../model/node.ts";
import type { Row } from "../store/row.ts";
import type { Transaction } from "./transaction.ts";

export type Node = Row<"nodes">;

const DRIVERS: readonly (readonly [
  name: string,
  attributes: Readonly<Record<string, string>>,
  problem?: string,
])[] = [
  ["docker", { "driver.docker": "1", "driver.docker.version": "28.5.1", "driver.docker.os_type": "linux" }],
  ["exec", { "driver.exec": "true" }],
  ["raw_exec", { "driver.raw_exec": "true" }],
  ["java", { "driver.java": "true", "driver.java.version": "17.0.15" }],
  ["qemu", {}, ""],
];

export interface NodeInput {
  readonly name?: string;
  readonly datacenter?: string;
  readonly nodeClass?: string;
  readonly nodePool?: string;
}

export function registerNode(tx: Transaction, input: NodeInput): Node {
  const now = tx.nowText();
  const ID = tx.uuid();
  const number = tx.random.between(1, 254);
  const stub: NodeStub = {
    Address: `10.0.${tx.random.between(0, 254)}.${number}`,
    CreateIndex: tx.index,
    Datacenter: input.datacenter ?? "dc1",
    Drain: false,
    Drivers: new Map(DRIVERS.map(([name, attributes, problem]) => [name, driver(attributes, problem, now)])),
    HostVolumes: new Map(),
    ID,
    LastDrain: null,
    ModifyIndex: tx.index,
    Name: input.name ?? `node-${ID.slice(0, 8)}`,
    NodeClass: input.nodeClass ?? "",
    NodePool: input.nodePool ?? "default",
    SchedulingEligibility: "eligible",
    Status: "ready",
    StatusDescription: "",
    Version: "2.0.5",
  };
  const events = [{ message: "Node registered", subsystem: "Cluster", timestamp: now, index: 0 }];
  return tx.put("nodes", "-", ID, stub, { events });
}

function driver(
  attributes: Readonly<Record<string, string>>,
  problem: string | undefined,
  now: string,
): DriverInfo {
  const healthy = problem === undefined;
  return {
    Attributes: new Map(Object.entries(attributes)),
    Detected: healthy,
    HealthDescription: problem ?? "Healthy",
    Healthy: healthy,
    UpdateTime: now,
  };
}

function update(
  tx: Transaction,
  row: Node,
  changes: Partial<NodeStub>,
  event?: [subsystem: string, message: string],
): Node {
  const model = event === undefined ? row.model : { events: withEvent(tx, row, ...event) };
  return tx.put("nodes", "-", row.key, { ...row.stub, ...changes, ModifyIndex: tx.index }, model);
}

function withEvent(tx: Transaction, row: Node, subsystem: string, message: string) {
  return [...row.model.events, { message, subsystem, timestamp: tx.nowText(), index: tx.index }].slice(-10);
}

export function setNodeStatus(tx: Transaction, row: Node, status: NodeStatus): Node {
  const messages = { down: "Node heartbeat missed", ready: "Node reregistered by heartbeat" } as const;
  const message = status === "down" || status === "ready" ? messages[status] : `Node ${status}`;
  return update(tx, row, { Status: status }, ["Cluster", message]);
}

export function setEligibility(tx: Transaction, row: Node, eligible: boolean): Node {
  const SchedulingEligibility = eligible ? "eligible" : "ineligible";
  return update(tx, row, { SchedulingEligibility }, [
    "Cluster",
    `Node marked as ${eligible ? "" : "in"}eligible for scheduling`,
  ]);
}

export function startDrain(tx: Transaction, row: Node): Node {
  const now = secondsOf(tx.nowText());
  const LastDrain = {
    AccessorID: "token:acls-disabled",
    Meta: null,
    StartedAt: now,
    Status: "draining",
    UpdatedAt: now,
  } as const;
  return update(tx, row, { Drain: true, LastDrain, SchedulingEligibility: "ineligible" }, [
    "Drain",
    "Node drain strategy set",
  ]);
}

export function endDrain(tx: Transaction, row: Node, outcome: "complete" | "canceled"): Node {
  const old = row.stub.LastDrain;
  const UpdatedAt = secondsOf(tx.nowText());
  const LastDrain = old === null ? null : { ...old, Status: outcome, UpdatedAt };
  const changes = outcome === "canceled" ? { SchedulingEligibility: "eligible" as const } : {};
  return update(tx, row, { ...changes, Drain: false, LastDrain }, ["Drain", `Node drain ${outcome}`]);
}

export function setDriverHealth(tx: Transaction, row: Node, name: string, healthy: boolean): Node {
  const old = row.stub.Drivers.get(name);
  if (old === undefined) return row;
  const HealthDescription = healthy ? "Healthy" : "Failed to connect to docker daemon";
  const next = { ...old, HealthDescription, Healthy: healthy, UpdateTime: tx.nowText() };
  const Drivers = new Map(row.stub.Drivers).set(name, next);
  return update(tx, row, { Drivers }, ["Driver", `Driver ${name} is ${healthy ? "healthy" : "unhealthy"}`]);
}

/** A node event: the row is written again and the list's index moves, but neither ModifyIndex nor stub changes. */
export function addNodeEvent(tx: Transaction, row: Node, message: string): Node {
  return tx.put("nodes", "-", row.key, row.stub, { events: withEvent(tx, row, "Driver", message) });
}

/** Nomad keeps drain times in whole seconds. */
function secondsOf(text: string): string {
  return `${text.slice(0, 19)}Z`;
}
