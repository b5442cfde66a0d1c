import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** What a request to a feed brings along. @throws UsageError where the file cannot be used. */
export function feedHeaders(tokenFile: string | undefined): Record<string, string> {
  return tokenFile === undefined ? {} : { authorization: `Bearer ${readFeedToken(tokenFile)}` };
}

/** The token in a file, read afresh, so that a renewed one counts. @throws UsageError where it cannot be used. */
export function readFeedToken(tokenFile: string): string {
  let token: string;
  try {
    token = readFileSync(tokenFile, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--token-file: ${tokenFile} cannot be read: ${reason}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(`--token-file: ${tokenFile} must hold a token and nothing else`);
  }
  return token;
}
