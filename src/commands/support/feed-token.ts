import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/**
 * What a request to a feed brings along: the token of the file, read afresh, so that a renewed one counts.
 * @throws UsageError where the file cannot be used.
 */
export function feedHeaders(tokenFile: string | undefined): Record<string, string> {
  if (tokenFile === undefined) return {};
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
  return { authorization: `Bearer ${token}` };
}
