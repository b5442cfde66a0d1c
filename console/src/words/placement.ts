import { count } from "./names.ts";

interface Evaluation {
  readonly FailedTGAllocs?: Readonly<Record<string, object>> | null | undefined;
  readonly [name: string]: unknown;
}

type Metric = Readonly<Record<string, unknown>>;

/** Why Nomad cannot place a group, one sentence for each: "web: memory exhausted on 3 nodes". */
export function placementReasons(evaluation: Evaluation): string[] {
  const quota = evaluation["QuotaLimitReached"];
  const reasons = Object.entries(evaluation.FailedTGAllocs ?? {}).map(
    ([group, metric]) => `${group}: ${reasonIn(metric as Metric)}`,
  );
  return typeof quota === "string" && quota !== "" ? [`quota ${quota} is used up`, ...reasons] : reasons;
}

/** How many allocations find no place. */
export function waitingCount({ FailedTGAllocs }: Evaluation): number {
  return Object.values(FailedTGAllocs ?? {}).reduce(
    (sum, metric) => sum + 1 + numberIn((metric as Metric)["CoalescedFailures"]),
    0,
  );
}

function reasonIn(metric: Metric): string {
  const words = [
    ...counts(metric["ConstraintFiltered"], (what, nodes) => `constraint ${what} excludes ${nodes}`),
    ...counts(metric["ClassFiltered"], (what, nodes) => `class ${what} excludes ${nodes}`),
    ...counts(metric["DimensionExhausted"], (what, nodes) => `${what} exhausted on ${nodes}`),
    ...counts(metric["ClassExhausted"], (what, nodes) => `class ${what} exhausted on ${nodes}`),
    ...names(metric["QuotaExhausted"]).map((what) => `quota exhausted: ${what}`),
  ];
  if (words.length > 0) return words.join(", ");
  return numberIn(metric["NodesEvaluated"]) === 0 ? "no node may run it" : "no node has room";
}

function counts(value: unknown, say: (what: string, nodes: string) => string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([what, nodes]) => say(what, count(numberIn(nodes), "node")));
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function numberIn(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
