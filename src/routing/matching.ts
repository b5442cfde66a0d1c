import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Matchers } from "../schemas/routes.ts";
import { SEVERITIES } from "../schemas/severity.ts";
import { matchesAny } from "../shared/patterns.ts";

/** Why the alert is not meant, in words; undefined where it is. */
export function mismatch({ rules, minSeverity, where = {} }: Matchers, alert: AlertJson): string | undefined {
  if (rules !== undefined && !matchesAny([alert.rule], rules)) {
    return `rule ${alert.rule} is none of ${rules.join(", ")}`;
  }
  if (minSeverity !== undefined && SEVERITIES[alert.severity] < SEVERITIES[minSeverity]) {
    return `severity ${alert.severity} is below ${minSeverity}`;
  }
  const other = Object.entries(where).find(
    ([label, patterns]) => !matchesAny([alert.labels[label] ?? ""], patterns),
  );
  if (other === undefined) return undefined;
  const [label, patterns] = other;
  return `${label} ${alert.labels[label] ?? "(none)"} is none of ${patterns.join(", ")}`;
}
