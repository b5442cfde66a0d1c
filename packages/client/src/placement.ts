/** An evaluation's stub, as far as it says what could not be placed. */
export interface PlacementFailures {
  readonly FailedTGAllocs?: unknown;
  readonly QuotaLimitReached?: unknown;
}

/**
 * Why Nomad cannot place an evaluation's groups, in words, one text for each: "web: memory exhausted on 3 nodes". None
 * where all were placed.
 */
export function placementReasons({ FailedTGAllocs, QuotaLimitReached }: PlacementFailures): string[] {
  const reasons = membersOf(FailedTGAllocs).map(([group, metric]) => `${group}: ${reasonIn(metric)}`);
  const isAtQuota = typeof QuotaLimitReached === "string" && QuotaLimitReached !== "";
  return isAtQuota ? [`quota ${QuotaLimitReached} is used up`, ...reasons] : reasons;
}

function reasonIn(metric: unknown): string {
  const value = (name: string) => membersOf(metric).find(([member]) => member === name)?.[1];
  const empty = membersOf(value("NodesAvailable")).filter(([, nodes]) => nodes === 0);
  const words = [
    ...counts(value("ConstraintFiltered"), (what, nodes) => `constraint ${what} excludes ${nodes}`),
    ...counts(value("ClassFiltered"), (what, nodes) => `class ${what} excludes ${nodes}`),
    ...counts(value("DimensionExhausted"), (what, nodes) => `${what} exhausted on ${nodes}`),
    ...counts(value("ClassExhausted"), (what, nodes) => `class ${what} exhausted on ${nodes}`),
    ...names(value("QuotaExhausted")).map((what) => `quota exhausted: ${what}`),
    ...empty.map(([datacenter]) => `no node in datacenter ${datacenter}`),
  ];
  if (words.length > 0) return words.join(", ");
  return numberIn(value("NodesEvaluated")) === 0 ? "no node may run it" : "no node has room";
}

function counts(value: unknown, say: (what: string, nodes: string) => string): string[] {
  return membersOf(value).map(([what, nodes]) => {
    const number = numberIn(nodes);
    return say(what, number === 1 ? "1 node" : `${number} nodes`);
  });
}

function membersOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function numberIn(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
