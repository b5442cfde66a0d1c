import { hash } from "node:crypto";
import type { Severity } from "../../schemas/severity.ts";
import type { AlertDestinationDeps, AlertMessage } from "../alerting/alert-destination.ts";
import { cut, storyOf, type AlertStory, type Story } from "../alerting/story.ts";

/** Of Events API v2. */
const SEVERITIES: Readonly<Record<Severity, "critical" | "error" | "warning" | "info">> = {
  FATAL: "critical",
  ERROR: "error",
  WARN: "warning",
  INFO: "info",
  DEBUG: "info",
  TRACE: "info",
};
/** Characters; more is refused. */
const MAX_SUMMARY = 1024;

/** An event for the incident of a group, without the routing key. */
export function eventOf(
  message: AlertMessage,
  deps: Pick<AlertDestinationDeps, "source" | "pageUrl" | "todo">,
): object {
  const dedup_key = dedupKey(deps.source, message);
  const story = storyOf(message, deps);
  if (story.isOver) return { event_action: "resolve", dedup_key };
  return { event_action: "trigger", dedup_key, ...triggerOf(message, story, deps.source) };
}

/** The same for a group whatever becomes of the destination's name and the routes. At most 255 characters. */
function dedupKey(source: string, { group: { labels } }: AlertMessage): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `nomad-changefeed-${hash("sha256", JSON.stringify([source, sorted]), "base64url")}`;
}

function triggerOf({ group: { labels } }: AlertMessage, story: Story, source: string): object {
  const [first] = story.alerts;
  return {
    client: "nomad-changefeed",
    ...(first?.url !== undefined && {
      client_url: first.url,
      links: [{ href: first.url, text: "Open in Nomad" }],
    }),
    payload: {
      summary: cut(story.headline, MAX_SUMMARY),
      source: cut(source, MAX_SUMMARY),
      severity: SEVERITIES[story.severity],
      timestamp: first?.startsAt.toISOString(),
      component: first?.subject,
      group: labels["namespace"],
      class: first?.rule,
      custom_details: detailsOf(story),
    },
  };
}

/** One alert lies flat, as PagerDuty shows a table of them. */
function detailsOf({ alerts, more }: Story): object {
  const [only] = alerts;
  if (alerts.length === 1 && only !== undefined) return alertDetails(only);
  return {
    ...Object.fromEntries(alerts.map((alert, place) => [`${place + 1}. ${alert.rule}`, alertDetails(alert)])),
    ...(more > 0 && { "Not shown": `${more} more` }),
  };
}

function alertDetails({ summary, about, end, facts, todo, startsAt }: AlertStory): object {
  return {
    Alert: end === undefined ? summary : `${summary}: ${end}`,
    ...Object.fromEntries(facts),
    ...(todo.length > 0 && { "What to do": todo }),
    About: about,
    Since: startsAt.toISOString(),
  };
}
