import type { ReadObject } from "../../feed/live-objects.ts";

/** A node as the page of the cluster shows it. */
export interface NodeFacts {
  readonly subject: string;
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly isEligible: boolean;
  readonly isDraining: boolean;
  readonly pool: string;
  readonly datacenter: string;
  readonly version: string;
  readonly lastDrain: DrainFacts | undefined;
}

interface DrainFacts {
  /** draining, complete, canceled */
  readonly status: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly updatedAt: string;
  /** Of the token it was asked for with; "" where there was none. */
  readonly accessor: string;
}

export function nodeFacts({ subject, id, stub }: ReadObject<"nodes">): NodeFacts {
  const { LastDrain: drain } = stub;
  return {
    subject,
    id,
    name: stub.Name,
    status: stub.Status,
    isEligible: stub.SchedulingEligibility === "eligible",
    isDraining: stub.Drain,
    pool: stub.NodePool ?? "default",
    datacenter: stub.Datacenter,
    version: stub.Version,
    lastDrain: drain
      ? {
          status: drain.Status,
          startedAt: drain.StartedAt,
          updatedAt: drain.UpdatedAt,
          accessor: accessorIn(drain["AccessorID"]),
        }
      : undefined,
  };
}

function accessorIn(id: unknown): string {
  return typeof id === "string" && !id.includes("acls-disabled") ? id : "";
}

/** An allocation that is on a node now. */
export interface Placed {
  readonly node: string;
  readonly isRunning: boolean;
  /** Of a job that has one on every node: a drain may leave it. */
  readonly isSystem: boolean;
}

/** Only those that take room. */
export const PLACED_FILTER = 'ClientStatus == "running" or ClientStatus == "pending"';

export function placedOf({ stub }: ReadObject<"allocations">): Placed {
  return {
    node: stub.NodeID,
    isRunning: stub.ClientStatus === "running",
    isSystem: stub.JobType.startsWith("sys"),
  };
}

export interface Load {
  readonly running: number;
  readonly pending: number;
  /** Running ones that a drain has to move. */
  readonly movable: number;
}

const IDLE: Load = { running: 0, pending: 0, movable: 0 };

/** By node. */
export function loads(placed: Iterable<Placed>): ReadonlyMap<string, Load> {
  const all = new Map<string, Load>();
  for (const { node, isRunning, isSystem } of placed) {
    const { running, pending, movable } = all.get(node) ?? IDLE;
    all.set(node, {
      running: running + (isRunning ? 1 : 0),
      pending: pending + (isRunning ? 0 : 1),
      movable: movable + (isRunning && !isSystem ? 1 : 0),
    });
  }
  return all;
}

export function loadOf(all: ReadonlyMap<string, Load>, node: string): Load {
  return all.get(node) ?? IDLE;
}

/** What is to be said of its drain; undefined: nothing. */
export function drainWords(
  { isDraining, isEligible, lastDrain }: NodeFacts,
  { movable }: Load,
): { readonly words: string; readonly isWrong: boolean } | undefined {
  const left = `${movable} ${movable === 1 ? "allocation" : "allocations"}`;
  if (isDraining)
    return { words: movable === 0 ? "draining, empty" : `draining, ${left} to move`, isWrong: false };
  if (lastDrain?.status !== "complete" || isEligible) return undefined;
  return movable > 0
    ? { words: `drain complete, but ${left} still running`, isWrong: true }
    : { words: "drained", isWrong: false };
}
