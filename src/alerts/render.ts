import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Alert } from "./alert.ts";
import { labelsOf } from "./model/subject.ts";
import type { RuleFacts } from "./rules/rule.ts";

/** The alert as it leaves. `shared`: labels of the whole feed, as cluster and region. */
export function render(alert: Alert, rule: RuleFacts, shared: Readonly<Record<string, string>>): AlertJson {
  const labels = { ...shared, ...labelsOf(alert.subject) };
  const values = { ...labels, ...alert.details, count: String(alert.count) };
  return {
    id: [alert.rule, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join(","),
    rule: alert.rule,
    severity: rule.severity,
    state: alert.state,
    labels,
    summary: filled(rule.summary, values),
    details: alert.details,
    count: alert.count,
    startsAt: timeText(alert.startsAt),
    firedAt: timeOrNull(alert.firedAt),
    endsAt: timeOrNull(alert.endsAt),
    reason: alert.reason ?? null,
    beganMeanwhile: alert.isMeanwhile,
    isKept: alert.kept !== undefined,
    lastEventAt: timeOrNull(alert.lastEventAt),
    evidence: alert.evidence,
    page: rule.page === undefined ? null : filled(rule.page, mapped(values, encodeURIComponent)),
  };
}

/**
 * Puts the values in place of `{name}`, and with its noun in place of `{count allocation}`: 1 allocation, 2 allocations.
 * What there is no value for stays as it is.
 */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)(?: (\w+))?\}/g, (text, name: string, noun?: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || noun === undefined) return value ?? text;
    return `${value} ${value === "1" ? noun : `${noun}s`}`;
  });
}

function mapped(values: Readonly<Record<string, string>>, change: (value: string) => string) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeText(ms);
}
