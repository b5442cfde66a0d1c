import { readFileSync } from "node:fs";
import { ReloadingFiles } from "../shared/reloading-files.ts";
import type { Logger } from "../telemetry/logger.ts";
import { NomadError } from "./errors.ts";
import type { TokenSource } from "./options.ts";
import { isToken, Secret } from "./secret.ts";

/** Answers the token to send now, or undefined for none. */
export type TokenReader = () => Promise<Secret | undefined>;

/**
 * Reads the token afresh for every request where it is in a file, since Nomad renews the tokens of its tasks in
 * place. While the file is missing, empty or half-written, the last good token is used.
 * The reader rejects with NOMAD_UNAUTHORIZED only if there never was a good one.
 */
export function createTokenReader(source: TokenSource, logger: Logger): TokenReader {
  if (source.kind === "file") return fileReader(source.path, logger);
  const token = source.kind === "fixed" ? source.token : undefined;
  return () => Promise.resolve(token);
}

function fileReader(path: string, logger: Logger): TokenReader {
  let file: ReloadingFiles<Secret> | undefined;
  return async () => {
    file ??= new ReloadingFiles({
      version: () => readText(path),
      read: (text) => secretIn(path, text),
      onUnusable: (problem) =>
        logger.warn({ path, err: problem }, "cannot use Nomad's token file; keeping the previous token"),
    });
    return file.current();
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function secretIn(path: string, text: string): Secret {
  if (isToken(text)) return new Secret(text);
  throw unusable(path, text === "" ? "it is empty" : "it holds more than one token");
}

function unusable(path: string, reason: string, cause?: unknown): NomadError {
  return new NomadError("NOMAD_UNAUTHORIZED", `Nomad's token file ${path} cannot be used: ${reason}`, {
    retryable: true,
    hint: "Write the token's secret id, and nothing else, to the file; it is read again at every request",
    cause,
  });
}
