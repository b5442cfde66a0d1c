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
  switch (settings.type) {
    case "alert-webhook":
      return (await import("./alert-webhook/alert-webhook.ts")).openAlertWebhook(settings, deps);
    case "email":
      return (await import("./email/email.ts")).openEmail(settings, deps);
    case "pagerduty":
      return (await import("./pagerduty/pagerduty.ts")).openPagerDuty(settings, deps);
    case "slack":
      return (await import("./slack/slack.ts")).openSlack(settings, deps);
    default:
      return settings satisfies never;
  }
}
