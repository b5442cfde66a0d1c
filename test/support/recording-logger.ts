import { silentLogger, type Logger } from "../../src/telemetry/logger.ts";

/** A logger that keeps the messages of what it is told from level info on. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (facts: object | string, message = "") =>
    void lines.push(typeof facts === "string" ? facts : message);
  return { logger: Object.assign(silentLogger(), { info: keep, warn: keep, error: keep }), lines };
}
