import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
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

export function createListener(
  { tls, tlsLookEveryMs }: { readonly tls?: TlsFiles; readonly tlsLookEveryMs?: number },
  logger: Logger,
): Listener {
  if (tls === undefined) {
    return {
      create: (handler) => createServer({ shouldUpgradeCallback }, handler),
      close: () => undefined,
    };
  }
  let stopWatching = (): void => undefined;
  return {
    create: (handler) => {
      const askClient = tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
      const server = createTlsServer({ ...readTlsFiles(tls), ...askClient, shouldUpgradeCallback }, handler);
      const lookEveryMs = tlsLookEveryMs === undefined ? {} : { lookEveryMs: tlsLookEveryMs };
      stopWatching = watchTlsFiles(tls, {
        logger,
        onChange: (read) => server.setSecureContext(read),
        ...lookEveryMs,
      });
      return server;
    },
    close: () => stopWatching(),
  };
}
