import type { Config } from "../../config/config.ts";
import { createLogger, type Logger } from "../../telemetry/logger.ts";
import type { Io } from "../io.ts";
import { wantsColours } from "./colours.ts";

/** The logger of a command: on stderr, for people where one looks, else a JSON object a line. */
export function loggerFor(io: Io, { level, format }: Config["log"]): Logger {
  return createLogger({
    level,
    format: format === "auto" ? (io.stderrIsTTY ? "pretty" : "json") : format,
    colours: wantsColours(io.env, io.stderrIsTTY),
    destination: { write: (line: string) => void io.stderr.write(line) },
  });
}
