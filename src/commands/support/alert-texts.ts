import type { AlertJson, AlertList } from "../../schemas/alert-schema.ts";
import type { Severity } from "../../schemas/severity.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import { PLAIN, tableText, type Page, type Paint, type TableRow } from "./table-text.ts";
import { timeText } from "./times.ts";

const LOUD: ReadonlySet<Severity> = new Set(["ERROR", "FATAL"]);
const SHARED_LABELS: ReadonlySet<string> = new Set(["cluster", "region"]);

/** What fires and may fire soon, a line and a sentence each; with `ended` also what ended lately. */
export function alertsText({ alerts, ended }: AlertList, page: Page, withEnded: boolean): string {
  const { dim } = page.colours;
  const firing = alerts.filter(({ state }) => state === "firing").toSorted(byBeginning);
  const pending = alerts.filter(({ state }) => state === "pending").toSorted(byBeginning);
  const open = [...firing, ...pending];
  const rows = open.map((alert) => rowOf(alert, timeText(alert.startsAt), page));
  const table = rows.length === 0 ? "" : tableText(["SINCE", "SEVERITY", "RULE", "ABOUT"], rows, page);
  const silenced = firing.filter(isSilenced).length;
  const silent = silenced === 0 ? "" : ` (${silenced} silenced)`;
  const said = `${firing.length} firing${silent}, ${pending.length} pending, ${ended.length} ended in the last hour`;
  return `${table}${dim(said)}\n${withEnded ? endedText(ended, page) : ""}`;
}

/** Alerts that have been, oldest first, and how often each rule had some. */
export function episodesText(episodes: readonly AlertJson[], page: Page): string {
  const { dim } = page.colours;
  if (episodes.length === 0) return `${dim("nothing would have fired")}\n`;
  const rules = Map.groupBy(episodes, ({ rule }) => rule);
  const counts = [...rules].map(([rule, { length }]) => `${rule} ${length}`).toSorted();
  const rows = episodes.map((alert) => lastedRow(alert, page));
  const table = tableText(["FIRED", "LASTED", "SEVERITY", "RULE", "ABOUT"], rows, page);
  return `${table}${dim(`${episodes.length} alerts: ${counts.join(", ")}`)}\n`;
}

function endedText(ended: readonly AlertJson[], page: Page): string {
  if (ended.length === 0) return "";
  const rows = ended.map((alert) => ({
    ...rowOf(alert, alert.endsAt === null ? "-" : timeText(alert.endsAt), page),
    paint: PLAIN,
    below: alert.reason,
  }));
  return `\n${tableText(["ENDED", "SEVERITY", "RULE", "ABOUT"], rows, page)}`;
}

function lastedRow(alert: AlertJson, page: Page): TableRow {
  const row = rowOf(alert, timeText(alert.firedAt ?? alert.startsAt), page);
  const [fired = "", ...others] = row.cells;
  const lasted = alert.endsAt === null ? "still" : lastedText(alert.firedAt ?? alert.startsAt, alert.endsAt);
  const reason = alert.reason === null ? "" : ` (${alert.reason})`;
  return { ...row, cells: [fired, lasted, ...others], below: `${alert.summary}${reason}` };
}

function rowOf(alert: AlertJson, time: string, { colours }: Page): TableRow {
  const isPending = alert.state === "pending";
  const { silencedBy = [] } = alert;
  return {
    cells: [time, isPending ? "pending" : alert.severity, alert.rule, aboutText(alert)],
    paint: isPending || isSilenced(alert) ? colours.dim : paintOf(alert, colours),
    below: isSilenced(alert) ? `${alert.summary} (silenced by ${silencedBy.join(", ")})` : alert.summary,
  };
}

/** People are not told of it. */
function isSilenced({ silencedBy = [] }: AlertJson): boolean {
  return silencedBy.length > 0;
}

export function paintOf({ severity }: AlertJson, { red, yellow }: Page["colours"]): Paint {
  if (LOUD.has(severity)) return red;
  return severity === "WARN" ? yellow : PLAIN;
}

/** "default/web/frontend": the labels that are its own. */
export function aboutText({ labels }: AlertJson): string {
  const own = Object.entries(labels).filter(([name]) => !SHARED_LABELS.has(name));
  return own.map(([, value]) => plainText(value)).join("/");
}

function byBeginning(a: AlertJson, b: AlertJson): number {
  return Date.parse(a.startsAt) - Date.parse(b.startsAt);
}

/** "3d4h", "2h5m", "4m10s", "12s". */
function lastedText(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return "0s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}
