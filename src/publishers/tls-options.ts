import { readFile } from "node:fs/promises";
import type { z } from "zod";
import type { tls } from "../schemas/destinations/fields.ts";

type TlsSettings = z.infer<ReturnType<typeof tls>>;

/** As node:tls takes them. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** Reads the files that a destination's `tls` names. @throws what the system says of one that cannot be read */
export async function readTls(settings: TlsSettings): Promise<TlsTexts> {
  const { caCert, clientCert, clientKey, serverName } = settings;
  const [ca, cert, key] = await Promise.all([caCert, clientCert, clientKey].map(textOf));
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

async function textOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, "utf8");
}
