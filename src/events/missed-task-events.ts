import type { Stub } from "../schemas/change.ts";
import type { Json, JsonObject } from "../schemas/json.ts";
import { eventsOf, tasksOf } from "./task-states.ts";

/** What Nomad keeps of each task: the client drops the oldest. */
const KEPT = 10;
/** What every task begins with. */
const FIRST = "Received";

/**
 * Tasks of an allocation of which events may have come and gone unseen: as many are there as Nomad keeps, and the newest
 * that was known, or the one that every task begins with, is not among them.
 */
export function missedTaskEvents(before: Stub | undefined, after: Stub | undefined): string[] {
  const [known, found] = [tasksOf(before?.value), tasksOf(after?.value)];
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
