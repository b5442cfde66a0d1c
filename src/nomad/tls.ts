import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { buildConnector } from "undici";
import { ReloadingFiles } from "../shared/reloading-files.ts";
import type { Logger } from "../telemetry/logger.ts";
import { NomadOptionInvalid } from "./errors.ts";
import type { TlsOptions } from "./options.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects without TLS, to a host or to a socket. */
export function plainConnector(socketPath: string | undefined): buildConnector.connector {
  return buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...(socketPath === undefined ? {} : { socketPath }) });
}

/**
 * Connects with TLS 1.2 or later and HTTP/1.1. The files are read again for every new connection, so renewed
 * certificates are used without a restart; while one cannot be read, the last good ones are.
 * @throws NomadOptionInvalid where a file cannot be used at the start.
 */
export function tlsConnector(options: TlsOptions, logger: Logger): buildConnector.connector {
  const files = new ReloadingFiles({
    version: () => JSON.stringify(readMaterial(options)),
    read: () => connectorOf(options, readMaterial(options)),
    onReload: () => logger.info("reloaded the TLS files for Nomad"),
    onUnusable: (problem) =>
      logger.warn({ err: problem }, "cannot use the TLS files for Nomad; keeping the previous ones"),
  });
  const name = options.serverName === undefined ? {} : { servername: options.serverName };
  return (target, callback) => {
    const connect = files.current();
    connect({ ...target, ...name }, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      // With TLS 1.3 a server refuses our certificate after the handshake. Without this, undici takes the end
      // of the connection that follows for the reason.
      socket.once("error", (reason) => socket.destroy(reason));
      callback(null, socket);
    });
  };
}

interface Material {
  /** Undefined: the authorities of Node and of the system. */
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

function readMaterial(options: TlsOptions): Material {
  return {
    ca: readAuthorities(options),
    cert: options.clientCert === undefined ? undefined : readText("clientCert", options.clientCert),
    key: options.clientKey === undefined ? undefined : readText("clientKey", options.clientKey),
  };
}

function readAuthorities(options: TlsOptions): string[] | undefined {
  if (options.caCert !== undefined) return [readCertificates("caCert", options.caCert)];
  if (options.caPath === undefined) return undefined;
  const files = filesBelow(options.caPath);
  if (files.length === 0) {
    throw new NomadOptionInvalid(
      "caPath",
      `caPath ${options.caPath} has no file; allowed is a directory of PEM files`,
    );
  }
  return files.map((file) => readCertificates("caPath", file));
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (cause) {
    throw new NomadOptionInvalid("caPath", `caPath ${directory} cannot be read: ${reasonOf(cause)}`, cause);
  }
}

function readCertificates(option: "caCert" | "caPath", path: string): string {
  const pem = readText(option, path);
  try {
    void new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new NomadOptionInvalid(option, `${option} ${path} holds no certificate in PEM form`, cause);
  }
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new NomadOptionInvalid(option, `${option} ${path} cannot be read: ${reasonOf(cause)}`, cause);
  }
}

function connectorOf(options: TlsOptions, material: Material): buildConnector.connector {
  const secureContext = contextOf(options, material);
  return buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    secureContext,
    rejectUnauthorized: !options.skipVerify,
  });
}

/** As for `tlsConnector`, as the files are now. @throws NomadOptionInvalid */
export function secureContextOf(options: TlsOptions): SecureContext {
  return contextOf(options, readMaterial(options));
}

function contextOf(options: TlsOptions, { ca, cert, key }: Material) {
  try {
    return createSecureContext({
      minVersion: "TLSv1.2",
      ca: ca === undefined ? systemAuthorities() : [...ca],
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    });
  } catch (cause) {
    throw new NomadOptionInvalid(
      "clientCert",
      `clientCert ${options.clientCert} and clientKey ${options.clientKey} cannot be used together: ${reasonOf(cause)}`,
      cause,
    );
  }
}

function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
