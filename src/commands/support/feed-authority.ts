import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** The PEM text of `--ca-cert`, or undefined where none is given. @throws UsageError where the file cannot be used. */
export function readAuthority(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, "utf8");
    // Throws where it holds none; TLS itself would ignore it in silence.
    void new X509Certificate(pem);
    return pem;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--ca-cert: ${path} is no PEM file of a certificate that can be read: ${reason}`);
  }
}
