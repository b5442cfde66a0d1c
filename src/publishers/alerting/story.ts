import type { AlertJson } from "../../schemas/alert-schema.ts";
import { SEVERITIES, type Severity } from "../../schemas/severity.ts";
import { printDuration } from "../../shared/duration.ts";
import type { AlertDestinationDeps, AlertMessage } from "./alert-destination.ts";
import { adviceFor } from "./advice.ts";

/** What a message says to people, before a destination gives it its form. Plain text, bounded, no line breaks but in facts. */
export interface Story {
  /** Nothing of the group fires any more. */
  readonly isOver: boolean;
  /** The highest of what fires; at the end, of what ended. */
  readonly severity: Severity;
  /** One line that says it all, with the cluster and the namespace. */
  readonly headline: string;
  /** What fires, the most severe first; then what ended. */
  readonly alerts: readonly AlertStory[];
  /** How many more there are than told. */
  readonly more: number;
}

export interface AlertStory {
  readonly isFiring: boolean;
  readonly severity: Severity;
  readonly rule: string;
  readonly summary: string;
  /** The job, or the name of the node. */
  readonly subject: string | undefined;
  /** All that it is about: "namespace default, job web". */
  readonly about: string;
  readonly startsAt: Date;
  /** "recovered after 12m"; undefined while it fires. */
  readonly end: string | undefined;
  /** What neither the summary nor a step says: "Last events", and their text. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  /** Steps, with commands in backticks; none once it ended. */
  readonly todo: readonly string[];
  readonly url: string | undefined;
}

type Telling = Pick<AlertDestinationDeps, "pageUrl" | "todo">;

/** Alerts of one message that are told in full. */
const MAX_ALERTS = 5;
const MAX_LINE = 300;
const MAX_FACT = 600;
/** Labels of the whole feed come last. */
const SHARED = ["cluster", "region"];

export function storyOf({ firing, resolved }: AlertMessage, telling: Telling): Story {
  const all = [...bySeverity(firing), ...bySeverity(resolved)];
  const [first] = all;
  if (first === undefined) throw new Error("a message tells of no alert");
  const others = (firing.length === 0 ? resolved.length : firing.length) - 1;
  return {
    isOver: firing.length === 0,
    severity: first.severity,
    headline: `${placeOf(first)}${cut(first.summary, MAX_LINE)}${others === 0 ? "" : ` (and ${others} more)`}`,
    alerts: all.slice(0, MAX_ALERTS).map((alert) => alertStory(alert, telling)),
    more: Math.max(0, all.length - MAX_ALERTS),
  };
}

/** At most so many characters of one line. */
export function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).toWellFormed()}…`;
}

function bySeverity(alerts: readonly AlertJson[]): AlertJson[] {
  return alerts.toSorted((a, b) => SEVERITIES[b.severity] - SEVERITIES[a.severity]);
}

/** "[prod/payments] ". */
function placeOf({ labels: { cluster, namespace } }: AlertJson): string {
  const place = [cluster, namespace === "default" ? undefined : namespace].filter(
    (name) => name !== undefined,
  );
  return place.length === 0 ? "" : `[${cut(place.join("/"), MAX_LINE)}] `;
}

function alertStory(alert: AlertJson, telling: Telling): AlertStory {
  const { labels, details, page } = alert;
  const isFiring = alert.state !== "resolved";
  const todo = isFiring ? telling.todo(alert.rule).map((step) => adviceFor(step, alert)) : [];
  return {
    isFiring,
    severity: alert.severity,
    rule: alert.rule,
    summary: cut(alert.summary, MAX_LINE),
    subject: labels["job"] ?? details["nodeName"],
    about: aboutText(labels),
    startsAt: new Date(alert.startsAt),
    end: isFiring ? undefined : endOf(alert),
    facts: isFiring ? factsOf(alert, todo) : [],
    todo,
    url: page === null ? undefined : telling.pageUrl(page),
  };
}

/** "namespace default, job web, cluster prod". */
export function aboutText(labels: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).filter(([name]) => !SHARED.includes(name));
  const shared = SHARED.flatMap((name) =>
    labels[name] === undefined ? [] : [[name, labels[name]] as const],
  );
  return [...own, ...shared].map(([name, value]) => `${name} ${cut(value, MAX_LINE)}`).join(", ");
}

function endOf({ startsAt, endsAt, reason }: AlertJson): string {
  const lasted = endsAt === null ? 0 : Date.parse(endsAt) - Date.parse(startsAt);
  return `${reason ?? "ended"} after ${printDuration(Math.max(1000, Math.round(lasted / 1000) * 1000))}`;
}

/** The rest of what explains it, once each; what explains comes before what names. */
function factsOf(
  { details, summary, beganMeanwhile }: AlertJson,
  todo: readonly string[],
): [string, string][] {
  const said = [summary, ...todo].join("\n");
  const ordered = [...ORDER.filter((name) => Object.hasOwn(details, name)), ...Object.keys(details)];
  const facts = new Map<string, string>();
  for (const name of ordered) {
    const text = details[name] ?? "";
    if (text !== "" && !said.includes(text) && !facts.has(text))
      facts.set(text, WORDS.get(name) ?? inWords(name));
  }
  const told = [...facts].map(([text, name]): [string, string] => [name, cut(text, MAX_FACT)]);
  return beganMeanwhile ? [...told, ["Began", "before the feed looked again"]] : told;
}

const ORDER = ["description", "why", "lastEvents", "healthy"];
const WORDS: ReadonlyMap<string, string> = new Map([
  ["description", "Nomad says"],
  ["example", "One of them"],
  ["onNode", "All on node"],
]);

/** "lastEvents" → "Last events". */
function inWords(name: string): string {
  const words = name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
