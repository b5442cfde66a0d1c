import type { ToldSettings } from "../schemas/destinations/told.ts";
import type { AlertReplica } from "./alerting/alert-replica.ts";
import type { DestinationDeps } from "./destination-deps.ts";

/**
 * Opens all places that a destination of alerts consists of. Its code is loaded only where it is configured; its
 * counterpart need not be there. `shared`: labels of the whole feed.
 * @throws what is wrong with its settings
 */
export async function openAlertReplicas(
  settings: ToldSettings,
  shared: Readonly<Record<string, string>>,
  deps: Pick<DestinationDeps, "clock" | "logger" | "readSecret">,
): Promise<readonly AlertReplica[]> {
  return (await import("./alertmanager/alertmanager.ts")).openAlertmanager(settings, shared, deps);
}
