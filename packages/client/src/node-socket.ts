import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { WebSocket, type RawData } from "ws";
import { deferred } from "./deferred.ts";
import { isLineStream, readLines } from "./node-lines.ts";
import { parseRetryAfter } from "./retry-after.ts";
import type { OpenSocket, Refusal, Socket, SocketListener, SocketRequest } from "./socket.ts";

const HANDSHAKE_MS = 10_000;
/** How long a close handshake may take. */
const CLOSE_GRACE_MS = 1000;
/** Of an error's text; the rest says nothing. */
const MAX_BODY_BYTES = 64 * 1024;

/** Codes of OpenSSL and Node for certificates that are not trusted, and for a peer that speaks no TLS or wants one. */
const UNTRUSTED =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|ERR_TLS_CERT_|ERR_SSL_.*(WRONG_VERSION|CERTIFICATE|UNKNOWN_CA|PACKET_LENGTH))/;

/** Opens sockets that trust the system's authorities. */
export const openNodeSocket: OpenSocket = nodeSocketTrusting(undefined);

/**
 * Opens sockets that trust the authorities of a PEM text, or the system's.
 * Node's own global WebSocket can neither send a token in a header nor wait while a consumer is busy.
 */
export function nodeSocketTrusting(ca: string | undefined): OpenSocket {
  return (request, listener) => open(request, listener, ca);
}

function open({ url, token }: SocketRequest, listener: SocketListener, ca: string | undefined): Socket {
  const socket = new WebSocket(url, {
    ...(ca !== undefined && { ca }),
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
    headers: {
      // Read only where the request to upgrade got lost on its way.
      accept: "application/x-ndjson",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  const gone = deferred();
  let lines: IncomingMessage | undefined;
  let problem: string | undefined;
  let isUntrusted = false;
  socket
    .on("open", listener.onOpened)
    .on("ping", listener.onAlive)
    .on("message", (data) => listener.onText(textOf(data)))
    .on("unexpected-response", (request, response) => {
      // Whoever opened it closes it.
      if (isLineStream(response)) {
        // That of the handshake, which is over.
        request.setTimeout(0);
        lines = response;
        readLines(response, listener);
      } else void refusalOf(response).then(listener.onRefused);
    })
    .on("error", (error: Error & { code?: string }) => {
      // Node's error of several addresses tried has no message of its own.
      problem ??= error.message || (error.code ?? error.name);
      isUntrusted ||= UNTRUSTED.test(error.code ?? "");
    })
    .on("close", (code) => {
      gone.resolve();
      listener.onClosed(code, problem, isUntrusted);
    });
  return {
    flow: { pause: () => (lines ?? socket).pause(), resume: () => (lines ?? socket).resume() },
    close: () => {
      if (socket.isPaused) socket.resume();
      socket.close(1000);
      const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
      return gone.promise.finally(() => clearTimeout(timer));
    },
  };
}

async function refusalOf(response: IncomingMessage): Promise<Refusal> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_BODY_BYTES) break;
    }
  } catch {
    // The status alone says enough.
  }
  const { "retry-after": retryAfter, date } = response.headers;
  return {
    status: response.statusCode ?? 0,
    body: Buffer.concat(parts).toString(),
    retryAfterMs: parseRetryAfter(retryAfter, date) ?? 0,
  };
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
