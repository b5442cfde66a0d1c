import type { Change } from "../schemas/change.ts";
import { objectOf, type Json, type JsonObject } from "../schemas/json.ts";
import { inside } from "./signals/transition.ts";
import { eventsOf, tasksOf } from "./task-states.ts";

/** A task that failed for good. Undefined: its events do not say. */
interface FailedTask {
  readonly task: string;
  readonly exitCode: number | undefined;
  /** 0: none ended it. */
  readonly signal: number | undefined;
}

/** The first task of an allocation that failed with this change, and how it ended, as its events say. */
export function failedTask({ ref, before, after }: Change): FailedTask | undefined {
  if (ref.resource !== "allocations" || after === undefined) return undefined;
  const [known, found] = [tasksOf(before?.value), tasksOf(after.value)];
  const failed = Object.keys(found).filter((task) => hasFailed(found[task]));
  const turned = failed.find((task) => !hasFailed(known[task]));
  const becameFailed = after.value["ClientStatus"] === "failed" && before?.value["ClientStatus"] !== "failed";
  const task = turned ?? (becameFailed ? failed[0] : undefined);
  if (task === undefined) return undefined;
  const end = eventsOf(found[task]).findLast((event) => event["Type"] === "Terminated");
  return { task, exitCode: numberIn(end, "exit_code"), signal: numberIn(end, "signal") };
}

function hasFailed(state: Json | undefined): boolean {
  return objectOf(state)["Failed"] === true;
}

function numberIn(event: JsonObject | undefined, detail: string): number | undefined {
  const text = event && inside(event, "Details", detail);
  return typeof text === "string" && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}
