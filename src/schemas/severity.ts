/** OpenTelemetry's severity texts and numbers, as CloudEvents' severity extension asks. */
export const SEVERITIES = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 } as const;
export type Severity = keyof typeof SEVERITIES;
export const SEVERITY_NAMES = Object.keys(SEVERITIES) as Severity[];

export function isSeverity(text: string): text is Severity {
  return Object.hasOwn(SEVERITIES, text);
}
