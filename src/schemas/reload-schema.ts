import { z } from "zod";

const names = z.array(z.string());
const NOTHING = "nothing changed";

/** What a reload of the configuration file did. */
export const reloadReportSchema = z.object({
  file: z.string().describe("The file that was read again"),
  destinations: z.object({ added: names, removed: names, changed: names }),
  redaction: z.boolean().describe("Whether the rules of redaction are other ones now"),
  alerts: z.boolean().describe("Whether the rules of alerts are other ones now"),
  routes: z.boolean().describe("Whether alerts go other ways now"),
  needRestart: names.describe("Options of the file that changed too, and that only a restart applies"),
});
export type ReloadReport = z.infer<typeof reloadReportSchema>;

/** `destinations added a, b; redaction changed; a restart applies --wait`, or that nothing changed. */
export function reloadText({ destinations, redaction, alerts, routes, needRestart }: ReloadReport): string {
  const parts = (["added", "removed", "changed"] as const)
    .filter((what) => destinations[what].length > 0)
    .map((what) => `destinations ${what}: ${destinations[what].join(", ")}`);
  if (redaction) parts.push("redaction changed");
  if (alerts) parts.push("alerts changed");
  if (routes) parts.push("routes changed");
  if (needRestart.length > 0) parts.push(`a restart applies ${needRestart.join(", ")}`);
  return parts.length === 0 ? NOTHING : parts.join("; ");
}

/** What a reload of a file with several feeds did. */
export const feedsReloadReportSchema = z.object({
  file: z.string().describe("The file that was read again"),
  added: names.describe("Feeds that begin"),
  removed: names.describe("Feeds that end; their logs stay"),
  restarted: names.describe("Feeds that begin anew, with other options"),
  applied: z.record(z.string(), reloadReportSchema).describe("What was applied to feeds that go on, by name"),
  needRestart: names.describe("Options of the whole process that changed, and that only a restart applies"),
});
export type FeedsReloadReport = z.infer<typeof feedsReloadReportSchema>;

/** `feeds added asia; feeds removed us; eu: redaction changed`, or that nothing changed. */
export function feedsReloadText({ applied, needRestart, ...feeds }: FeedsReloadReport): string {
  const parts = (["added", "removed", "restarted"] as const)
    .filter((what) => feeds[what].length > 0)
    .map((what) => `feeds ${what}: ${feeds[what].join(", ")}`);
  for (const [name, report] of Object.entries(applied)) {
    const text = reloadText(report);
    if (text !== NOTHING) parts.push(`${name}: ${text}`);
  }
  if (needRestart.length > 0) parts.push(`a restart applies ${needRestart.join(", ")}`);
  return parts.length === 0 ? NOTHING : parts.join("; ");
}
