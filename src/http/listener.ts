import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readTlsFiles, watchTlsFiles, type TlsFiles } from "./access/tls.ts";

/** What takes connections: with TLS where there are files for it, whose changes are followed. */
export interface Listener {
  /** @throws TlsFilesUnusable */
  readonly create: (handler: RequestListener) => Server;
  close(): void;
}

// Only a WebSocket: a request that offers HTTP/2, as curl does, is answered as if it had not.
const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
  headers.upgrade?.toLowerCase() === "websocket";

/** A request has nothing but a head, which fits into one packet. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often connections that take longer are looked for. */
const CHECK_EVERY_MS = 2000;

export interface ListenerOptions {
  readonly tls?: TlsFiles;
  readonly tlsLookEveryMs?: number;
  /** How long a connection may take to send the head of a request, and to agree on TLS before. */
  readonly headersTimeoutMs?: number;
}

export function createListener(
  { tls, tlsLookEveryMs, headersTimeoutMs = HEADERS_TIMEOUT_MS }: ListenerOptions,
  { logger, clock }: { logger: Logger; clock: Clock },
): Listener {
  const options = {
    shouldUpgradeCallback,
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs * 3,
    connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headersTimeoutMs),
  };
  if (tls === undefined) {
    return {
      create: (handler) => createServer(options, handler),
      close: () => undefined,
    };
  }
  let stopWatching = (): void => undefined;
  return {
    create: (handler) => {
      const askClient = tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
      const handshake = { ...readTlsFiles(tls), ...askClient, handshakeTimeout: headersTimeoutMs };
      const server = createTlsServer({ ...handshake, ...options }, handler);
      const lookEveryMs = tlsLookEveryMs === undefined ? {} : { lookEveryMs: tlsLookEveryMs };
      stopWatching = watchTlsFiles(tls, {
        logger,
        clock,
        onChange: (read) => server.setSecureContext(read),
        ...lookEveryMs,
      });
      return server;
    },
    close: () => stopWatching(),
  };
}
