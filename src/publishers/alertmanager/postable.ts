import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { AlertmanagerSettings } from "../../schemas/destinations/alertmanager.ts";
import type { Severity } from "../../schemas/severity.ts";

/** An alert as `POST /api/v2/alerts` takes it. All labels together are its identity. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** While it fires, when it ends by itself unless it is sent again. */
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** Longer than the worst failover: a bridge that died must not resolve everything. */
const LEAST_LEASE_MS = 15 * 60_000;
/** It is there to end when nobody sends it any more. */
const LEAST_WATCHDOG_LEASE_MS = 5 * 60_000;

/** The words that routes of Alertmanager mostly ask for. */
const SEVERITIES: ReadonlyMap<Severity, string> = new Map([
  ["FATAL", "critical"],
  ["ERROR", "critical"],
  ["WARN", "warning"],
]);

type Shape = Pick<AlertmanagerSettings, "labels" | "resend">;

/** What varies while the alert fires is in annotations. */
export function postableOf(
  alert: AlertJson,
  nowMs: number,
  shape: Shape & { readonly pageUrl: (page: string) => string | undefined },
): PostableAlert {
  const { rule, severity, startsAt, endsAt, page } = alert;
  const labels = { ...alert.labels, alertname: rule, severity: SEVERITIES.get(severity) ?? "info" };
  const link = page === null ? undefined : shape.pageUrl(page);
  return {
    labels: present({ ...shape.labels, ...labels }),
    annotations: annotationsOf(alert),
    startsAt: upTo(startsAt, nowMs),
    endsAt:
      endsAt !== null ? upTo(endsAt, nowMs) : timeText(nowMs + Math.max(4 * shape.resend, LEAST_LEASE_MS)),
    ...(link !== undefined && { generatorURL: link }),
  };
}

/** Always fires, while alerts are made. */
export function watchdog(
  shared: Readonly<Record<string, string>>,
  { nowMs, sinceMs }: { readonly nowMs: number; readonly sinceMs: number },
  { labels, resend }: Shape,
): PostableAlert {
  return {
    labels: present({ ...labels, ...shared, alertname: "NomadChangefeedWatchdog", severity: "none" }),
    annotations: {
      summary:
        "Alerts of the Nomad feed are made and sent. When this ends, they no longer are: let something watch that",
    },
    startsAt: timeText(Math.min(sinceMs, nowMs)),
    endsAt: timeText(nowMs + Math.max(4 * resend, LEAST_WATCHDOG_LEASE_MS)),
  };
}

function annotationsOf(alert: AlertJson): Record<string, string> {
  const { summary, details, count, reason, evidence } = alert;
  return present({
    ...details,
    summary,
    count: String(count),
    ended: reason ?? "",
    events: evidence.join(" "),
  });
}

/** Alertmanager leaves out what is empty before it compares. */
function present(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
}

/**
 * No later than now, where the clock was set back since: Alertmanager refuses what begins after its end, and has fire
 * what ends later.
 */
function upTo(time: string, nowMs: number): string {
  return Date.parse(time) > nowMs ? timeText(nowMs) : time;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
