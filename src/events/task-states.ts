import { isJsonObject, objectOf, type Json, type JsonObject } from "../schemas/json.ts";

/** The states of an allocation's tasks, by name. */
export function tasksOf(allocation: JsonObject | undefined): JsonObject {
  return objectOf(allocation?.["TaskStates"]);
}

/** A task's events, oldest first. */
export function eventsOf(task: Json | undefined): JsonObject[] {
  const events = objectOf(task)["Events"];
  return Array.isArray(events) ? events.filter(isJsonObject) : [];
}
