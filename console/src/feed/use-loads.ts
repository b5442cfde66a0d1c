import { useMemo } from "preact/hooks";
import type { ReadObject } from "./live-objects.ts";
import { useLiveObjects } from "./use-live-objects.ts";

/** An allocation that takes room on a node. */
interface Placed {
  readonly node: string;
  readonly isRunning: boolean;
  /** Of a job that has one on every node: a drain may leave it. */
  readonly isSystem: boolean;
}

/** What runs on a node. */
export interface Load {
  readonly running: number;
  readonly pending: number;
  /** Running ones that a drain has to move. */
  readonly movable: number;
}

export interface Loads {
  of(node: string): Load;
  /** Of all nodes. */
  readonly allocations: number;
  /** All of them have been read. */
  readonly isWhole: boolean;
  readonly error: unknown;
}

const FILTER = 'ClientStatus == "running" or ClientStatus == "pending"';
const IDLE: Load = { running: 0, pending: 0, movable: 0 };

/** What runs on each node, as of the time that is shown. */
export function useLoads(): Loads {
  const placed = useLiveObjects({ type: "allocations", filter: FILTER }, placedOf);
  const { version, isWhole, error } = placed.status.value;
  return useMemo(() => {
    const byNode = loadsOf(placed.rows.values());
    return { of: (node) => byNode.get(node) ?? IDLE, allocations: placed.rows.size, isWhole, error };
  }, [placed, version, isWhole, error]);
}

function placedOf({ stub }: ReadObject<"allocations">): Placed {
  return {
    node: stub.NodeID,
    isRunning: stub.ClientStatus === "running",
    isSystem: stub.JobType.startsWith("sys"),
  };
}

function loadsOf(placed: Iterable<Placed>): ReadonlyMap<string, Load> {
  const all = new Map<string, { running: number; pending: number; movable: number }>();
  for (const { node, isRunning, isSystem } of placed) {
    const load = all.get(node) ?? { running: 0, pending: 0, movable: 0 };
    load[isRunning ? "running" : "pending"] += 1;
    if (isRunning && !isSystem) load.movable += 1;
    all.set(node, load);
  }
  return all;
}
