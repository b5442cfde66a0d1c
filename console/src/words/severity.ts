import type { Severity } from "nomad-changefeed-client";

/** Least first. */
export const SEVERITIES: readonly Severity[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** How bad it is, to compare; -1 of what is no severity. */
export function severityRank(severity: string): number {
  return SEVERITIES.findIndex((one) => one === severity);
}
