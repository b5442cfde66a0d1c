import { pino, type DestinationStream, type Logger } from "pino";
import { prettyFactory } from "pino-pretty";

export type { Logger } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Names under which a secret could reach a log line; whatever stands there is written as "[redacted]". */
const SECRET_NAMES = [
  "token",
  "password",
  "secret",
  "SecretID",
  "authorization",
  "nomadToken",
  "httpAuth",
  "x-nomad-token",
];

/**
 * The root logger: JSON lines, or coloured text for people. Rooms take a child of it with their ids bound.
 * Writes to `destination`, by default stderr, so that stdout stays for a command's own output.
 */
export function createLogger(options: {
  level: LogLevel;
  format: "json" | "pretty";
  destination?: DestinationStream;
}): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  const base = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: "[redacted]",
    },
  };
  if (options.format === "json") return pino(base, destination);
  const prettify = prettyFactory({
    colorize: true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "room",
    singleLine: true,
  });
  return pino(base, { write: (line) => destination.write(prettify(line)) });
}

/** A logger that says nothing, for tests and libraries. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
