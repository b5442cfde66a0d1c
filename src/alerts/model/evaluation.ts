import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { membersOf, numberOf, textOf } from "./stub.ts";

/** Why Nomad cannot place a group, in words: "web: memory exhausted on 3 nodes". */
export function placementReasons(stub: JsonObject): string[] {
  const quota = textOf(stub, "QuotaLimitReached");
  const reasons = membersOf(stub["FailedTGAllocs"]).map(([group, metric]) => `${group}: ${reasonIn(metric)}`);
  return quota === "" ? reasons : [`quota ${quota} is used up`, ...reasons];
}

function reasonIn(metric: JsonObject): string {
  const words = [
    ...counts(metric["ConstraintFiltered"], (what, nodes) => `constraint ${what} excludes ${nodes}`),
    ...counts(metric["ClassFiltered"], (what, nodes) => `class ${what} excludes ${nodes}`),
    ...counts(metric["DimensionExhausted"], (what, nodes) => `${what} exhausted on ${nodes}`),
    ...namesIn(metric["QuotaExhausted"]).map((what) => `quota exhausted: ${what}`),
  ];
  if (words.length > 0) return words.join(", ");
  return numberOf(metric, "NodesEvaluated") === 0 ? "no node may run it" : "no node has room";
}

function counts(value: Json | undefined, say: (what: string, nodes: string) => string): string[] {
  if (!isJsonObject(value)) return [];
  return Object.keys(value).map((what) => {
    const count = numberOf(value, what);
    return say(what, count === 1 ? "1 node" : `${count} nodes`);
  });
}

function namesIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
