import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext, getCACertificates } from "node:tls";
import { buildConnector } from "undici";
import { fileVersions, ReloadingFiles } from "../../shared/reloading-files.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { isPublic, PrivateAddress, publicLookup, type Resolve } from "./addresses.ts";

const CONNECT_TIMEOUT_MS = 10_000;

export interface ConnectorOptions {
  /** Paths of PEM files. */
  readonly caCert?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** Expected in the certificate, in place of the host. */
  readonly serverName?: string | undefined;
  readonly allowPrivate: boolean;
  /** In place of the system's, in tests. */
  readonly resolve?: Resolve | undefined;
}

/**
 * Connects with HTTP/1.1, by TLS 1.2 or later where the address says so, and to public addresses only unless others are
 * allowed. Files are read again when they change; while they cannot be used, the last ones are.
 * @throws what is wrong with the files at the start
 */
export function connectorOf(options: ConnectorOptions, logger: Logger): buildConnector.connector {
  const paths = [options.caCert, options.clientCert, options.clientKey].filter((path) => path !== undefined);
  const plain = buildConnector(basicsOf(options));
  const secure = secureConnector(options, paths, logger);
  const servername = options.serverName === undefined ? {} : { servername: options.serverName };
  return (target, done) => {
    const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
    // An address is connected to without a lookup.
    if (!options.allowPrivate && isIP(host) !== 0 && !isPublic(host)) {
      done(new PrivateAddress(host, host), null);
    } else {
      const connect = target.protocol === "https:" ? secure() : plain;
      connect({ ...target, ...servername }, done);
    }
  };
}

/** Files are read at once, so that what is wrong with them is heard of; without any, the context is made when needed. */
function secureConnector(
  options: ConnectorOptions,
  paths: readonly string[],
  logger: Logger,
): () => buildConnector.connector {
  if (paths.length === 0) {
    let connector: buildConnector.connector | undefined;
    // It takes a tenth of a second, which most addresses of a network of one's own need not.
    return () => (connector ??= connectorWith(options));
  }
  const files = new ReloadingFiles({
    version: () => fileVersions(paths),
    read: () => connectorWith(options),
    onReload: () => logger.info("reloaded the TLS files of the destination"),
    onUnusable: (problem) =>
      logger.warn({ err: problem }, "cannot use the TLS files of the destination; keeping the previous ones"),
  });
  return () => files.current();
}

function basicsOf({ allowPrivate, resolve }: ConnectorOptions) {
  return { timeout: CONNECT_TIMEOUT_MS, ...(!allowPrivate && { lookup: publicLookup(resolve) }) };
}

function connectorWith(options: ConnectorOptions): buildConnector.connector {
  const { caCert, clientCert, clientKey } = options;
  const secureContext = createSecureContext({
    minVersion: "TLSv1.2",
    ca: caCert === undefined ? systemAuthorities() : readFileSync(caCert, "utf8"),
    ...(clientCert !== undefined && { cert: readFileSync(clientCert, "utf8") }),
    ...(clientKey !== undefined && { key: readFileSync(clientKey, "utf8") }),
  });
  return buildConnector({ ...basicsOf(options), secureContext });
}

function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}
