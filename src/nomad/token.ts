import { readFile } from "node:fs/promises";
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
  let last: Secret | undefined;
  let failing = false;
  return async () => {
    const found = await readToken(path);
    if (found instanceof Secret) {
      last = found;
      failing = false;
      return last;
    }
    if (last === undefined) throw unusable(path, found);
    if (!failing)
      logger.warn(
        { path, reason: found.reason },
        "Nomad's token file cannot be used: keeping the last token",
      );
    failing = true;
    return last;
  };
}

async function readToken(path: string): Promise<Secret | { reason: string; cause?: unknown }> {
  try {
    const text = (await readFile(path, "utf8")).trim();
    if (isToken(text)) return new Secret(text);
    return { reason: text === "" ? "it is empty" : "it holds more than one token" };
  } catch (cause) {
    return { reason: cause instanceof Error ? cause.message : String(cause), cause };
  }
}

function unusable(path: string, found: { reason: string; cause?: unknown }): NomadError {
  return new NomadError("NOMAD_UNAUTHORIZED", `Nomad's token file ${path} cannot be used: ${found.reason}`, {
    retryable: true,
    hint: "Write the token's secret id, and nothing else, to the file; it is read again at every request",
    cause: found.cause,
  });
}
