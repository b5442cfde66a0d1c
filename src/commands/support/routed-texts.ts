import { printDuration } from "../../shared/duration.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import { aboutText, paintOf } from "./alert-texts.ts";
import { fitLine } from "./fit-line.ts";
import type { RoutedAlert, Told } from "../../schemas/alert-routes.ts";
import type { RoutedEvent } from "./routed.ts";
import { indented, type Page } from "./table-text.ts";
import { timeText } from "./times.ts";

interface Routed {
  readonly events: readonly RoutedEvent[];
  readonly alerts: readonly RoutedAlert[];
}

/** Each event and each alert with where it goes, and what kept it from going elsewhere. */
export function routedText({ events, alerts }: Routed, page: Page): string {
  const { dim } = page.colours;
  const parts = [
    ...events.map((event) => eventText(event, page)),
    ...alerts.map((alert) => alertText(alert, page)),
  ];
  const counts = Map.groupBy(alerts.flatMap(namesOf), (name) => name);
  const ends = [...counts].map(([name, { length }]) => `${name} ${length}`).toSorted();
  const said =
    alerts.length === 0
      ? "no alert"
      : `${alerts.length} alert${alerts.length === 1 ? "" : "s"}: ${ends.join(", ")}`;
  return `${parts.join("")}${dim(said)}\n`;
}

function alertText({ alert, route, told, alertmanagers, steps, silences }: RoutedAlert, page: Page): string {
  const { colours, columns } = page;
  const state = alert.state === "pending" ? "pending" : alert.severity;
  const cells = [timeText(alert.firedAt ?? alert.startsAt), state, alert.rule, aboutText(alert)];
  const head = fitLine(
    cells.map((text, rank) => ({ text: plainText(text), paint: paintOf(alert, colours), rank })),
    columns,
  );
  const ways = told.length === 0 ? [nobodyText(route)] : told.map(toldText);
  const silent = silences.length === 0 ? [] : [`silent now: ${silences.join(", ")}`];
  const others = alertmanagers.flatMap(({ name, mismatch }) =>
    mismatch === null ? [`→ ${name}, whatever routes say`] : [],
  );
  const why = [...steps.map(({ route: name, mismatch }) => ({ name, mismatch })), ...alertmanagers].flatMap(
    ({ name, mismatch }) => (mismatch === null ? [] : [`not ${name}: ${mismatch}`]),
  );
  return block(head, [...ways, ...others, ...silent], why, page);
}

function nobodyText(route: string | null): string {
  return route === null ? "→ nobody: no route takes it" : `→ nobody: route ${route} says none`;
}

function toldText({ destination, route, group, groupWaitMs, repeatIntervalMs, isMuted }: Told): string {
  const labels = Object.entries(group).map(([name, value]) => `${name}=${value}`);
  const together = labels.length === 0 ? "all in one message" : `together by ${labels.join(", ")}`;
  const times = `after ${printDuration(groupWaitMs)}, again after ${printDuration(repeatIntervalMs)}`;
  const mute = isMuted ? "; mute then, told when that is over" : "";
  return `→ ${destination} by route ${route}, ${together}; ${times}${mute}`;
}

function eventText({ event, destinations }: RoutedEvent, page: Page): string {
  const { type, severity, resource, namespace, key } = event;
  const about = [resource, namespace, key].filter((part) => part !== null).join("/");
  const head = plainText(`event ${type}  ${severity}  ${about}`);
  const taken = destinations.filter(({ refusedBy }) => refusedBy.length === 0).map(({ name }) => name);
  const way = taken.length === 0 ? "→ no destination of events" : `→ ${taken.join(", ")}`;
  const why = destinations
    .filter(({ refusedBy }) => refusedBy.length > 0)
    .map(({ name, refusedBy }) => `not ${name}: ${refusedBy.join(", ")}`);
  return block(head, [way], why, page);
}

function block(head: string, ways: readonly string[], why: readonly string[], page: Page): string {
  const lines = [
    head,
    ...ways.map((text) => indented(text, page)),
    ...why.map((text) => page.colours.dim(indented(text, page))),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function namesOf({ told, alertmanagers }: RoutedAlert): string[] {
  const others = alertmanagers.filter(({ mismatch }) => mismatch === null).map(({ name }) => name);
  const names = [...new Set([...told.map(({ destination }) => destination), ...others])];
  return names.length === 0 ? ["nobody"] : names;
}
