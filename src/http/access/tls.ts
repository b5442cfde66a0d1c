import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { SecureContextOptions } from "node:tls";
import { every, type Clock } from "../../shared/clock.ts";
import { fileVersions, ReloadingFiles } from "../../shared/reloading-files.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { TlsFilesUnusable } from "./errors.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Authorities of the certificates that clients must then show. */
  readonly clientCa?: string;
}

const CHECK_EVERY_MS = 5000;

/** @throws TlsFilesUnusable */
export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  const options = {
    cert: readPem(files.cert),
    key: readPem(files.key),
    ...(files.clientCa !== undefined && { ca: readPem(files.clientCa) }),
    minVersion: "TLSv1.2" as const,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TlsFilesUnusable(`${files.cert} and ${files.key} do not make a certificate: ${reason}`, error);
  }
  return options;
}

/**
 * Calls back with what is in the files whenever they have changed. Files that cannot be used, as while they are
 * being written, leave things as they are. The returned function ends it.
 */
export function watchTlsFiles(
  files: TlsFiles,
  options: {
    logger: Logger;
    onChange: (read: SecureContextOptions) => void;
    lookEveryMs?: number;
    clock: Clock;
  },
): () => void {
  const { logger, onChange, lookEveryMs = CHECK_EVERY_MS, clock } = options;
  const watched = new ReloadingFiles({
    version: () => fileVersions(pathsOf(files)),
    read: () => readTlsFiles(files),
    onReload: (read) => {
      onChange(read);
      logger.info({ cert: files.cert }, "reloaded the listener's TLS certificate");
    },
    onUnusable: (problem) =>
      logger.warn(
        { err: problem },
        "cannot use the listener's new TLS certificate; keeping the previous one",
      ),
  });
  return every(clock, lookEveryMs, () => watched.current());
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TlsFilesUnusable(`${path} cannot be read: ${reason}`, error);
  }
}

function pathsOf({ cert, key, clientCa }: TlsFiles): string[] {
  return [cert, key, ...(clientCa === undefined ? [] : [clientCa])];
}
