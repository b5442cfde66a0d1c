import { z } from "zod";

const names = z.array(z.string());

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
  return parts.length === 0 ? "nothing changed" : parts.join("; ");
}
