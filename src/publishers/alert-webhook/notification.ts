import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { AlertDestinationDeps, AlertMessage } from "../alerting/alert-destination.ts";
import { plainText, titleOf } from "../alerting/plain-text.ts";
import { cut, storyOf, type AlertStory } from "../alerting/story.ts";

/** Alerts of one request, of each state. */
const MAX_ALERTS = 100;
const MAX_TEXT = 1000;

/** What a request says as JSON, and what a template calls `notification`. */
interface NotificationJson {
  readonly source: string;
  readonly state: "firing" | "resolved";
  readonly isRepeat: boolean;
  readonly severity: string;
  /** The labels that its alerts have in common. */
  readonly group: Readonly<Record<string, string>>;
  readonly title: string;
  /** All of it for people. */
  readonly text: string;
  readonly url: string | null;
  /** At most five, for people. */
  readonly told: readonly object[];
  readonly counts: { readonly firing: number; readonly resolved: number };
  /** At most a hundred each, as `/v1/alerts` has them. */
  readonly firing: readonly AlertJson[];
  readonly resolved: readonly AlertJson[];
}

export function notificationOf(
  message: AlertMessage,
  deps: Pick<AlertDestinationDeps, "source" | "pageUrl" | "todo">,
): NotificationJson {
  const story = storyOf(message, deps);
  const { firing, resolved, group, isRepeat } = message;
  return {
    source: deps.source,
    state: story.isOver ? "resolved" : "firing",
    isRepeat,
    severity: story.severity,
    group: group.labels,
    title: titleOf(story),
    text: plainText(story),
    url: story.alerts[0]?.url ?? null,
    told: story.alerts.map(toldOf),
    counts: { firing: firing.length, resolved: resolved.length },
    firing: bounded(firing),
    resolved: bounded(resolved),
  };
}

function toldOf({ facts, startsAt, end, url, ...alert }: AlertStory): object {
  const since = `since ${startsAt.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const named = facts.map(([name, text]) => ({ name, text }));
  return { ...alert, since, end: end ?? null, url: url ?? null, facts: named };
}

function bounded(alerts: readonly AlertJson[]): AlertJson[] {
  return alerts.slice(0, MAX_ALERTS).map((alert) => {
    const details = Object.entries(alert.details).map(([name, text]) => [name, cut(text, MAX_TEXT)]);
    return { ...alert, summary: cut(alert.summary, MAX_TEXT), details: Object.fromEntries(details) };
  });
}
