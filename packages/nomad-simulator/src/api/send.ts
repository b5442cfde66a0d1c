import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createGzip, gzipSync, type Gzip } from "node:zlib";
import type { FaultRule } from "../fault-rules.ts";
import type { Random } from "../random.ts";
import { bodyChunks, type Reply } from "./reply.ts";

export interface SendOptions {
  readonly gzip: boolean;
  readonly random: Random;
  readonly fault: FaultRule | undefined;
  /** HEAD: headers only. */
  readonly bodiless?: boolean;
}

/** Longest body Go sends with a Content-Length. */
const BUFFERED_BYTES = 2048;
const GZIP_LEVEL = 1;

/** Writes the reply as Go's server does. Resolves when all is written or the client is gone. */
export async function send(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  writeHead(response, reply, options);
  const { fault } = options;
  if (options.bodiless === true) {
    response.setHeader("Content-Length", wholeBody(reply, options).length);
    response.end();
  } else if (fault?.kind === "eof" || fault?.kind === "truncated-gzip" || fault?.kind === "slow-body") {
    await sendBroken(response, wholeBody(reply, options), fault);
  } else if (typeof reply.body === "string" || reply.body.rows.length === 0) {
    sendWhole(response, wholeBody(reply, options));
  } else {
    await sendChunks(response, reply, options);
  }
}

function writeHead(response: ServerResponse, reply: Reply, options: SendOptions): void {
  response.statusCode = reply.status;
  response.removeHeader("Connection");
  const mime = options.fault?.kind === "wrong-content-type" ? "text/html; charset=utf-8" : reply.contentType;
  if (options.gzip) response.setHeader("Content-Encoding", "gzip");
  if (mime !== undefined) response.setHeader("Content-Type", mime);
  response.setHeader("Vary", "Accept-Encoding");
  if (reply.meta === undefined) return;
  if (options.fault?.kind !== "missing-index") response.setHeader("X-Nomad-Index", String(reply.meta.index));
  response.setHeader("X-Nomad-Knownleader", String(reply.meta.knownLeader));
  response.setHeader("X-Nomad-Lastcontact", String(reply.meta.lastContactMs));
  if (reply.meta.nextToken !== undefined) response.setHeader("X-Nomad-Nexttoken", reply.meta.nextToken);
}

function wholeBody(reply: Reply, options: SendOptions): Buffer {
  const plain =
    options.fault?.kind === "wrong-content-type"
      ? Buffer.from("<html><body>It works!</body></html>")
      : Buffer.concat([...bodyChunks(reply.body, options.random)]);
  return options.gzip ? gzipSync(plain, { level: GZIP_LEVEL }) : plain;
}

function sendWhole(response: ServerResponse, body: Buffer): void {
  if (body.length <= BUFFERED_BYTES) response.setHeader("Content-Length", body.length);
  else response.flushHeaders();
  response.end(body);
}

async function sendChunks(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  if (options.fault?.kind === "wrong-content-type") {
    sendWhole(response, wholeBody(reply, options));
    return;
  }
  let gzip: Gzip | undefined;
  if (options.gzip) {
    gzip = createGzip({ level: GZIP_LEVEL });
    gzip.pipe(response);
  }
  const sink = gzip ?? response;
  const chunks = bodyChunks(reply.body, options.random);
  let next = chunks.next();
  while (next.done !== true && !response.destroyed) {
    const chunk = next.value;
    next = chunks.next();
    if (next.done === true && sink === response && !response.headersSent && chunk.length <= BUFFERED_BYTES) {
      sendWhole(response, chunk);
      return;
    }
    if (!sink.write(chunk)) await drained(sink, response);
  }
  sink.end();
  if (gzip !== undefined && !response.destroyed)
    await Promise.race([once(response, "finish"), once(response, "close")]);
}

/** Waits until the sink takes more, or the client is gone. */
async function drained(sink: NodeJS.EventEmitter, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  try {
    await Promise.race([
      once(sink, "drain", { signal: gone.signal }),
      once(response, "close", { signal: gone.signal }),
    ]);
  } finally {
    gone.abort();
  }
}

async function sendBroken(response: ServerResponse, body: Buffer, fault: FaultRule): Promise<void> {
  if (fault.kind === "truncated-gzip") {
    sendWhole(response, body.subarray(0, Math.max(1, Math.floor(body.length / 2))));
    return;
  }
  if (body.length <= BUFFERED_BYTES) response.setHeader("Content-Length", body.length);
  if (fault.kind === "eof") {
    const half = body.subarray(0, Math.floor(body.length / 2));
    response.write(half.length === 0 ? "" : half);
    response.flushHeaders();
    await new Promise<void>((resolve) => setImmediate(resolve));
    // The response has no socket yet where one before it on the connection has not ended.
    response.req.socket.destroySoon();
    return;
  }
  const size = fault.chunkBytes ?? Math.max(1, Math.ceil(body.length / 8));
  for (let from = 0; from < body.length && !response.destroyed; from += size) {
    if (from > 0) await new Promise<void>((resolve) => setTimeout(resolve, fault.delayMs ?? 20));
    response.write(body.subarray(from, from + size));
  }
  response.end();
}
