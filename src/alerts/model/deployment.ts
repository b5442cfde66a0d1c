import type { JsonObject } from "../../schemas/json.ts";
import { inside, membersOf, numberOf, textOf, timeIn } from "./stub.ts";

/** A deployment that goes on, or that failed. */
export interface DeploymentRecord {
  readonly id: string;
  readonly version: string;
  readonly state: "active" | "paused" | "failed";
  /** Nomad's words. */
  readonly description: string;
  readonly needsPromotion: boolean;
  /** When Nomad would give it up, ms; undefined where it has no deadline. */
  readonly deadline: number | undefined;
  readonly healthy: number;
  readonly wanted: number;
  readonly createIndex: number;
}

const STATES = new Map<string, DeploymentRecord["state"]>([
  ["running", "active"],
  ["pending", "active"],
  ["initializing", "active"],
  ["unblocking", "active"],
  // It waits for other regions; nothing is due here.
  ["blocked", "paused"],
  ["paused", "paused"],
  ["failed", "failed"],
]);

/** Undefined for one that succeeded or was cancelled. */
export function deploymentRecord(id: string, stub: JsonObject): DeploymentRecord | undefined {
  const state = STATES.get(textOf(stub, "Status"));
  if (state === undefined) return undefined;
  const groups = membersOf(stub["TaskGroups"]).map(([, group]) => group);
  const sum = (field: string): number => groups.reduce((total, group) => total + numberOf(group, field), 0);
  const deadlines = groups.flatMap((group) => timeIn(inside(group, "RequireProgressBy")) ?? []);
  return {
    id,
    version: String(numberOf(stub, "JobVersion")),
    state,
    description: textOf(stub, "StatusDescription"),
    needsPromotion: state === "active" && awaitsPromotion(stub, groups),
    deadline: deadlines.length === 0 ? undefined : Math.max(...deadlines),
    healthy: sum("HealthyAllocs"),
    wanted: sum("DesiredTotal"),
    createIndex: numberOf(stub, "CreateIndex"),
  };
}

function awaitsPromotion(stub: JsonObject, groups: readonly JsonObject[]): boolean {
  if (!textOf(stub, "StatusDescription").includes("requires manual promotion")) return false;
  return groups.every((group) => numberOf(group, "HealthyAllocs") >= numberOf(group, "DesiredCanaries"));
}
