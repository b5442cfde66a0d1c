import type { NomadAddress } from "./address.ts";

const SHOWN_TEXT_LENGTH = 300;
/** Far more than is shown and than any header holds, so that no secret in what is shown is cut off. */
export const READ_TEXT_BYTES = 64 * 1024;

/** What must stand in no message, in every form in which a proxy could echo it. */
export function secretsOf(address: NomadAddress, token: string | undefined): string[] {
  const encoded = address.authorization?.reveal().slice("Basic ".length) ?? "";
  const pair = Buffer.from(encoded, "base64").toString();
  const password = pair.slice(pair.indexOf(":") + 1);
  return [token ?? "", encoded, password].filter((secret) => secret.length > 3);
}

/** What an error message may show of a body: one short line, and no secret that a proxy echoed. */
export function printable(body: Buffer, secrets: readonly string[]): string {
  // Secrets first: cut off or with other white space they would not be recognised.
  const text = body.toString("utf8", 0, READ_TEXT_BYTES);
  const clean = secrets
    .reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return clean.length > SHOWN_TEXT_LENGTH ? `${clean.slice(0, SHOWN_TEXT_LENGTH)}…` : clean;
}
