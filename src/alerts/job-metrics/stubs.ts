import { OUTCOMES } from "./counts.ts";
import { familyOf } from "../model/allocation.ts";
import { inside, membersOf, numberOf, textOf, timeIn } from "../model/stub.ts";
import type { JsonObject } from "../../schemas/json.ts";

/** What is counted for a job: `<namespace>/<name>`, of a periodic or dispatched child its parent. */
export function jobKey(namespace: string, id: string): string {
  return `${namespace}/${familyOf(id)}`;
}

/** Of an object that belongs to a job. */
export function jobKeyOf(stub: JsonObject): string {
  return jobKey(textOf(stub, "Namespace"), textOf(stub, "JobID"));
}

/** What a job's own stub says. */
export interface JobFacts {
  readonly isBatch: boolean;
  readonly groups: readonly string[];
}

export function jobFacts(stub: JsonObject): JobFacts {
  const groups = membersOf(inside(stub, "JobSummary", "Summary")).map(([name]) => name);
  return { isBatch: isBatch(stub, "Type"), groups };
}

export interface NodeFacts {
  readonly name: string;
  readonly isDown: boolean;
  readonly isDraining: boolean;
}

export function nodeFacts(stub: JsonObject): NodeFacts {
  const isDown = stub["Status"] === "down" || stub["Status"] === "disconnected";
  return { name: textOf(stub, "Name"), isDown, isDraining: stub["Drain"] === true };
}

/** Undefined while it goes on. */
export function outcomeOf(stub: JsonObject): (typeof OUTCOMES)[number] | undefined {
  return OUTCOMES.find((name) => name === stub["Status"]);
}

/** When an allocation of a batch job completed, seconds since 1970; undefined where it did not. */
export function successIn(stub: JsonObject): number | undefined {
  if (!isBatch(stub, "JobType") || stub["ClientStatus"] !== "complete") return undefined;
  const ends = membersOf(stub["TaskStates"]).map(([, task]) => timeIn(task["FinishedAt"]) ?? 0);
  const last = Math.max(0, ...ends);
  return last > 0 ? last / 1000 : numberOf(stub, "ModifyTime") / 1e9;
}

export function isBatch(stub: JsonObject, field: "Type" | "JobType"): boolean {
  return stub[field] === "batch" || stub[field] === "sysbatch";
}
