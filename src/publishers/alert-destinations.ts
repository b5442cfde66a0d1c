import type { AlertDestinationSettings } from "../schemas/destinations/alert-destinations.ts";
import type { AlertDestination, AlertDestinationDeps } from "./alerting/alert-destination.ts";

/**
 * Opens a destination of alerts. Its code, and the libraries that it needs, are loaded only where it is configured. Its
 * counterpart need not be there: the first `send` says so.
 * @throws what is wrong with its settings
 */
export async function openAlertDestination(
  settings: AlertDestinationSettings,
  deps: AlertDestinationDeps,
): Promise<AlertDestination> {
  const { openPagerDuty } = await import("./pagerduty/pagerduty.ts");
  return openPagerDuty(settings, deps);
}
