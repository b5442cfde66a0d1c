import type { AlertmanagerSettings } from "../schemas/destinations/alertmanager.ts";
import type { AlertReplica } from "./alerting/alert-replica.ts";
import type { AlertDestinationDeps } from "./alerting/alert-destination.ts";

/**
 * Opens all places that a destination of alerts consists of. Its code is loaded only where it is configured; its
 * counterpart need not be there. `shared`: labels of the whole feed.
 * @throws what is wrong with its settings
 */
export async function openAlertReplicas(
  settings: AlertmanagerSettings,
  shared: Readonly<Record<string, string>>,
  deps: Pick<AlertDestinationDeps, "clock" | "logger" | "readSecret" | "pageUrl">,
): Promise<readonly AlertReplica[]> {
  return (await import("./alertmanager/alertmanager.ts")).openAlertmanager(settings, shared, deps);
}
