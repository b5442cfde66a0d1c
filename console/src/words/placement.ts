import { placementReasons } from "nomad-changefeed-client";

export { placementReasons };

/** How many allocations find no place. */
export function waitingCount({ FailedTGAllocs }: { readonly FailedTGAllocs?: unknown }): number {
  if (typeof FailedTGAllocs !== "object" || FailedTGAllocs === null) return 0;
  return Object.values(FailedTGAllocs).reduce(
    (sum: number, metric: unknown) => sum + 1 + coalescedIn(metric),
    0,
  );
}

function coalescedIn(metric: unknown): number {
  if (typeof metric !== "object" || metric === null || !("CoalescedFailures" in metric)) return 0;
  return typeof metric.CoalescedFailures === "number" ? metric.CoalescedFailures : 0;
}
