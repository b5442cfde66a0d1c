import type { ReadObject } from "../../feed/live-objects.ts";
import { count } from "../../words/names.ts";
import type { Load } from "../../feed/use-loads.ts";

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

/** What is to be said of its drain; undefined: nothing. */
export function drainWords(
  { isDraining, isEligible, lastDrain }: NodeFacts,
  { movable }: Load,
): { readonly words: string; readonly isWrong: boolean } | undefined {
  const left = count(movable, "allocation");
  if (isDraining)
    return { words: movable === 0 ? "draining, empty" : `draining, ${left} to move`, isWrong: false };
  if (lastDrain?.status !== "complete" || isEligible) return undefined;
  return movable > 0
    ? { words: `drain complete, yet ${left} still here`, isWrong: true }
    : { words: "drained", isWrong: false };
}
