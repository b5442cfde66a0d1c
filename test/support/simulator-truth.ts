import { parseExact, type Json } from "../../src/schemas/json.ts";
import type { Simulator } from "../../src/simulator/index.ts";

/** Everything the simulated cluster has now: subject → stub. */
export function simulatorTruth(simulator: Simulator): Map<string, Json> {
  const truth = new Map<string, Json>();
  for (const [resource, objects] of simulator.state()) {
    for (const [key, text] of objects) truth.set(`${resource}/${key}`, parseExact(text));
  }
  return truth;
}
