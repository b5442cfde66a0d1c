import type { FastifyReply, FastifyRequest } from "fastify";
import { takesEncoding } from "../accepted.ts";
import type { Coding, ConsoleFile } from "./files.ts";

/** What the page may load and do: only what this server gives it, and no script that a text was made into. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** What a browser is told of every page. */
export const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** In the order in which they are preferred. */
const CODINGS: readonly Coding[] = ["br", "gzip"];

/** Answers a file in the coding that the browser takes, or 304 where it has it. */
export async function sendFile(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  file: ConsoleFile,
): Promise<FastifyReply> {
  reply.raw.appendHeader("vary", "Accept-Encoding");
  reply.headers(HEADERS).header("etag", file.etag);
  reply.header("cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (isKnown(headers["if-none-match"], file.etag)) return reply.code(304).send();
  reply.type(file.contentType);
  const coding = CODINGS.find((one) => takesEncoding(headers["accept-encoding"] ?? "", one));
  const compressed = coding && (await file.compressed(coding));
  if (coding === undefined || compressed === undefined) return reply.send(file.bytes);
  return reply.header("content-encoding", coding).send(compressed);
}

/** Answers a page that only says something. */
export function sendText(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .headers(HEADERS)
    .header("cache-control", "no-store")
    .type("text/html; charset=utf-8")
    .send(html);
}

/** Weakly, as RFC 9110 has it: a proxy that compresses may have made it weak. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const bare = (tag: string): string => tag.trim().replace(/^W\//, "");
  return (ifNoneMatch ?? "").split(",").some((tag) => bare(tag) === bare(etag) || tag.trim() === "*");
}
