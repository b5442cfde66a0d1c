import type { JsonObject } from "../../schemas/json.ts";
import { inside, membersOf, textOf, timeIn } from "./stub.ts";
import type { Window } from "./window.ts";

export interface NodeRecord {
  readonly id: string;
  name: string;
  status: string;
  isEligible: boolean;
  /** Since when it is drained, ms. */
  drainingSince: number | undefined;
  /** The last drain says that nothing is left on the node. */
  isDrained: boolean;
  /** Drivers that worked, or are there, and do not work: name → what Nomad says. */
  brokenDrivers: Map<string, string>;
  /** Times at which it was lost. */
  losses: Window;
  /** Allocations on it, by what is wrong with them. */
  readonly allocations: Map<string, number>;
  isGone: boolean;
}

export function newNode(id: string): NodeRecord {
  return {
    id,
    name: id.slice(0, 8),
    status: "ready",
    isEligible: true,
    drainingSince: undefined,
    isDrained: false,
    brokenDrivers: new Map(),
    losses: [],
    allocations: new Map(),
    isGone: false,
  };
}

/** Takes over what the stub says. `wasHealthy`: drivers that the change took from healthy to not. */
export function readNode(node: NodeRecord, stub: JsonObject, wasHealthy: ReadonlySet<string>): void {
  node.isGone = false;
  node.name = textOf(stub, "Name");
  node.status = textOf(stub, "Status");
  node.isEligible = textOf(stub, "SchedulingEligibility") !== "ineligible";
  node.drainingSince = stub["Drain"] === true ? timeIn(inside(stub, "LastDrain", "StartedAt")) : undefined;
  node.isDrained = stub["Drain"] !== true && inside(stub, "LastDrain", "Status") === "complete";
  node.brokenDrivers = new Map(
    membersOf(stub["Drivers"])
      .filter(([, { Healthy }]) => Healthy !== true)
      .filter(
        ([name, { Detected }]) => Detected === true || wasHealthy.has(name) || node.brokenDrivers.has(name),
      )
      .map(([name, driver]) => [name, textOf(driver, "HealthDescription")]),
  );
}

/** Whether nothing of it is worth keeping. */
export function isPlainNode(node: NodeRecord): boolean {
  const isWell = node.status === "ready" && node.drainingSince === undefined && node.brokenDrivers.size === 0;
  const isQuiet = node.losses.length === 0 && node.allocations.size === 0;
  return isQuiet && (node.isGone || (isWell && (node.isEligible || !node.isDrained)));
}
