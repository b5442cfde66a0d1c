import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Matchers } from "../schemas/routes.ts";
import { SEVERITIES } from "../schemas/severity.ts";
import { matchesAny } from "../shared/patterns.ts";
import { alertFilter } from "./alert-filter.ts";

/** Why an alert is not meant, in words; undefined where it is. */
export type Matching = (alert: AlertJson) => string | undefined;

/** @throws InvalidFilter */
export function matching({ rules, minSeverity, where = {}, filter }: Matchers): Matching {
  const test = filter === undefined ? undefined : alertFilter(filter);
  return (alert) => {
    if (rules !== undefined && !matchesAny([alert.rule], rules))
      return `rule ${alert.rule} is none of ${rules.join(", ")}`;
    if (minSeverity !== undefined && SEVERITIES[alert.severity] < SEVERITIES[minSeverity])
      return `severity ${alert.severity} is below ${minSeverity}`;
    return otherLabel(where, alert) ?? (test?.(alert) === false ? `not ${filter}` : undefined);
  };
}

function otherLabel(where: NonNullable<Matchers["where"]>, { labels }: AlertJson): string | undefined {
  const other = Object.entries(where).find(
    ([label, patterns]) => !matchesAny([labels[label] ?? ""], patterns),
  );
  if (other === undefined) return undefined;
  const [label, patterns] = other;
  return `${label} ${labels[label] ?? "(none)"} is none of ${patterns.join(", ")}`;
}
