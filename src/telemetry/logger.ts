import { pino, type DestinationStream, type Logger } from "pino";
import { prettyFactory } from "pino-pretty";
import { hideSecretsIn } from "../schemas/address-text.ts";
import { isJsonObject, parseExact, type Json } from "../schemas/json.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";

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
  "cookie",
  "set-cookie",
];

/**
 * The root logger: JSON lines, or text for people. Modules take a child of it with their ids bound. Writes to
 * `destination`, by default stderr, so that stdout stays for a command's own output. Whatever a line quotes from
 * outside, it shows no password of an address and cannot steer a terminal.
 */
export function createLogger(options: {
  level: LogLevel;
  format: "json" | "pretty";
  /** In text for people. Default false. */
  colours?: boolean;
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
  if (options.format === "json") {
    return pino(base, { write: (line) => destination.write(terminalJson(withoutPasswords(line))) });
  }
  const prettify = prettyFactory({
    colorize: options.colours === true,
    translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss.l'Z'",
    ignore: "module",
    singleLine: true,
  });
  return pino(base, { write: (line) => destination.write(prettify(forPeople(parseExact(line)) as object)) });
}

function withoutPasswords(line: string): string {
  // Nearly no line quotes an address that has one.
  if (!line.includes("@") && !line.includes("assword=")) return line;
  return `${JSON.stringify(mapTexts(parseExact(line), hideSecretsIn))}\n`;
}

function forPeople(record: Json): Json {
  return mapTexts(record, (text, name) => {
    const shown = hideSecretsIn(text);
    return name === "stack" ? plainStack(shown) : plainText(shown);
  });
}

/** The lines of a stack trace stay; a message that has lines of its own becomes one. */
function plainStack(stack: string): string {
  return stack
    .split(/\n(?= {4}at |caused by: )/)
    .map(plainText)
    .join("\n");
}

/** JSON with every text in it changed, names of members too. */
function mapTexts(value: Json, change: (text: string, name?: string) => string, name?: string): Json {
  if (typeof value === "string") return change(value, name);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [change(key), mapTexts(member, change, key)]),
  );
}

/** What the bridge is made of, as far as it logs; JSON lines name it as `module`. */
const MODULES = [
  "bridge",
  "nomad",
  "pollers",
  "coordination",
  "feed",
  "http",
  "deliveries",
  "alerts",
] as const;

export type ModuleLoggers = Readonly<Record<(typeof MODULES)[number], Logger>>;

/** A child of `root` for each module. */
export function moduleLoggers(root: Logger): ModuleLoggers {
  const children = MODULES.map((module) => [module, root.child({ module })] as const);
  return Object.fromEntries(children) as ModuleLoggers;
}

/** A logger that says nothing, for tests and libraries. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
