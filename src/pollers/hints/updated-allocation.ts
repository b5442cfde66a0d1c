import { integerText, isJsonObject, stringField, type Json, type JsonObject } from "../../schemas/json.ts";

/** Of these the event says nothing: it is without its job. */
const OF_THE_JOB: ReadonlySet<string> = new Set(["JobType", "JobVersion"]);
/** What an allocation may be without, by Nomad 2.0.5; of a member that a later one adds, nothing is known. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  "ClientDescription",
  "DeploymentStatus",
  "DesiredDescription",
  "DesiredTransition",
  "FollowupEvalID",
  "NextAllocation",
  "NodeName",
  "PreemptedAllocations",
  "PreemptedByAllocation",
  "RescheduleTracker",
]);
/** Written by the scheduler together with the job: with another one, more than a client's word may have changed. */
const BY_THE_SCHEDULER = ["ID", "EvalID", "JobID", "NodeID"] as const;

/**
 * The stub of an allocation as the list has it after an event, made of the event and of an older stub; undefined where
 * these two do not say all of it, and the list has to.
 *
 * The event has the whole allocation but its job. Of the job a stub holds type and version, and every write that can
 * change these sets `AllocModifyIndex` (Nomad: UpsertAllocs); a client's word on its tasks does not. So where that index
 * is not above the older stub's, the stub's job is still the same. What is empty the event leaves out.
 */
export function updatedAllocation(older: JsonObject, event: JsonObject): Buffer | undefined {
  if (!isOfSameJob(older, event) || !haveMessages(event["TaskStates"])) return undefined;
  const updated: JsonObject = {};
  for (const [name, before] of Object.entries(older)) {
    const said = Object.hasOwn(event, name) ? event[name] : emptied(name, before);
    const value = OF_THE_JOB.has(name) ? before : said;
    if (value === undefined) return undefined;
    updated[name] = value;
  }
  return Buffer.from(JSON.stringify(updated));
}

function isOfSameJob(older: JsonObject, event: JsonObject): boolean {
  const written = integerText(event["AllocModifyIndex"]);
  const known = integerText(older["ModifyIndex"]);
  return (
    written !== undefined &&
    known !== undefined &&
    BigInt(written) <= BigInt(known) &&
    integerText(event["CreateIndex"]) === integerText(older["CreateIndex"]) &&
    BY_THE_SCHEDULER.every((name) => stringField(event, name) === stringField(older, name))
  );
}

/** A list gives task events of old clients the message that they lack, which an event does not. */
function haveMessages(taskStates: Json | undefined): boolean {
  if (!isJsonObject(taskStates)) return false;
  return Object.values(taskStates).every((state) => {
    const events = isJsonObject(state) ? state["Events"] : undefined;
    if (events === null) return true;
    return Array.isArray(events) && events.every((event) => isJsonObject(event) && !!event["DisplayMessage"]);
  });
}

/** What a member is that was like this and is left out now; undefined where that can be more than one thing. */
function emptied(name: string, before: Json): Json | undefined {
  if (!MAY_BE_EMPTY.has(name)) return undefined;
  if (typeof before === "string") return "";
  // DesiredTransition: it is never null, and written by the scheduler only.
  const members = isJsonObject(before) ? Object.values(before) : [before];
  return members.every((member) => member === null) ? before : undefined;
}
