import { rules } from "../alerts/rules/user-rules.ts";
import { RULES } from "../alerts/rules/table.ts";
import type { AnyRule } from "../alerts/rules/rule.ts";
import { alertsSchema } from "../schemas/alert-rules.ts";
import type { FileSection } from "./file.ts";
import { parseAt, problemAt, type Place } from "./section.ts";

/** The rules that hold; null where the file says `alerts: off`. */
export type AlertsConfig = { readonly rules: readonly AnyRule[] } | null;

/** What the file makes of the rules, and what is wrong with it, one sentence each. */
export function alertsOf(section: FileSection | undefined): { alerts: AlertsConfig; problems: string[] } {
  if (section === undefined || section.value === null) return { alerts: { rules: RULES }, problems: [] };
  if (section.value === "off" || section.value === false) return { alerts: null, problems: [] };
  const place: Place = { section, name: "alerts", path: [] };
  const { value: settings, problems } = parseAt(alertsSchema, section.value, place);
  if (settings === undefined) return { alerts: null, problems };
  const made = rules(RULES, settings.rules);
  return {
    alerts: { rules: made.rules },
    problems: made.problems.map(({ path, message }) => problemAt(place, path, message)),
  };
}
