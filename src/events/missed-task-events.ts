import type { Stub } from "../schemas/change.ts";
import { isJsonObject, objectOf, type Json, type JsonObject } from "../schemas/json.ts";

/** What Nomad keeps of each task: the client drops the oldest. */
const KEPT = 10;
/** What every task begins with. */
const FIRST = "Received";

/**
 * Tasks of an allocation of which events may have come and gone unseen: as many are there as Nomad keeps, and the newest
 * that was known, or the one that every task begins with, is not among them.
 */
export function missedTaskEvents(before: Stub | undefined, after: Stub | undefined): string[] {
  const [known, found] = [tasksOf(before), tasksOf(after)];
  return Object.keys(found).filter((task) => isOverrun(eventsOf(known[task]), eventsOf(found[task])));
}

function isOverrun(known: readonly JsonObject[], found: readonly JsonObject[]): boolean {
  if (found.length < KEPT) return false;
  const last = known.at(-1);
  return last === undefined
    ? found[0]?.["Type"] !== FIRST
    : !found.some((event) => event["Type"] === last["Type"] && isSame(event["Time"], last["Time"]));
}

/** Nanoseconds have more digits than a number. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function tasksOf(stub: Stub | undefined): JsonObject {
  return objectOf(stub?.value["TaskStates"]);
}

function eventsOf(state: Json | undefined): JsonObject[] {
  const events = objectOf(state)["Events"];
  return Array.isArray(events) ? events.filter(isJsonObject) : [];
}
