import { parseExact, type Json } from "../../src/schemas/json.ts";
import type { Simulator } from "../../packages/nomad-simulator/src/index.ts";
import type { SeenEvent } from "./feed-check.ts";

export interface SeenAs {
  /** By a token that is not management: Nomad hides from it what deleted namespaces left. */
  readonly hidesLeftovers?: boolean;
}

/** Everything the simulated cluster lists under `*` now: subject → stub. */
export function simulatorTruth(simulator: Simulator, { hidesLeftovers }: SeenAs = {}): Map<string, Json> {
  const { namespaces } = simulator.cluster.state.tables;
  const truth = new Map<string, Json>();
  for (const [resource, objects] of simulator.state()) {
    for (const [key, text] of objects) {
      const namespace = key.slice(0, key.indexOf("/"));
      const exists = namespace === "-" || namespaces.get("-", namespace) !== undefined;
      if (exists || hidesLeftovers !== true) truth.set(`${resource}/${key}`, parseExact(text));
    }
  }
  return truth;
}

/** Subjects that the feed says were deleted more often than the cluster deleted or hid them. */
export function falseDeletes(
  simulator: Simulator,
  events: readonly SeenEvent[],
  { hidesLeftovers }: SeenAs = {},
): string[] {
  const deletes = new Map<string, number>();
  const add = (what: string): Map<string, number> => deletes.set(what, (deletes.get(what) ?? 0) + 1);
  for (const { op, resource, namespace, key } of simulator.journal.entries) {
    if (op === "delete") add(`${resource}/${namespace}/${key}`);
  }
  const invented: string[] = [];
  for (const { op, subject } of events) {
    if (op !== "delete") continue;
    const left = deletes.get(subject) ?? 0;
    const hidden = hidesLeftovers === true && deletes.has(`namespaces/-/${subject.split("/")[1]}`);
    if (left <= 0 && !hidden) invented.push(subject);
    deletes.set(subject, left - 1);
  }
  return invented;
}
