import { parseExact, type Json } from "../../src/schemas/json.ts";
import type { Simulator } from "../../src/simulator/index.ts";
import type { SeenEvent } from "./feed-check.ts";

/** Everything the simulated cluster has now: subject → stub. */
export function simulatorTruth(simulator: Simulator): Map<string, Json> {
  const truth = new Map<string, Json>();
  for (const [resource, objects] of simulator.state()) {
    for (const [key, text] of objects) truth.set(`${resource}/${key}`, parseExact(text));
  }
  return truth;
}

/** Subjects that the feed says were deleted more often than the cluster deleted them. */
export function falseDeletes(simulator: Simulator, events: readonly SeenEvent[]): string[] {
  const deletes = new Map<string, number>();
  for (const { op, resource, namespace, key } of simulator.journal.entries) {
    const subject = `${resource}/${namespace}/${key}`;
    if (op === "delete") deletes.set(subject, (deletes.get(subject) ?? 0) + 1);
  }
  const invented: string[] = [];
  for (const { op, subject } of events) {
    if (op !== "delete") continue;
    const left = deletes.get(subject) ?? 0;
    if (left === 0) invented.push(subject);
    deletes.set(subject, left - 1);
  }
  return invented;
}
