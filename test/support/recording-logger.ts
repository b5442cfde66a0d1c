import { silentLogger, type Logger } from "../../src/telemetry/logger.ts";

/** A logger that keeps the messages of what it is told from level info on. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (_facts: object, message: string) => void lines.push(message);
  return { logger: Object.assign(silentLogger(), { info: keep, warn: keep, error: keep }), lines };
}
