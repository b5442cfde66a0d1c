import type { FastifyReply, FastifyRequest } from "fastify";
import { parseExact } from "../schemas/json.ts";
import { wantsPretty } from "./request-url.ts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/;
/** As Nomad has it. */
const INDENT = 4;

/** The answer with line breaks, where it was asked for and is JSON in one piece; every number as it was written. */
export function prettyWhereWanted({ raw }: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const isText = typeof payload === "string" || Buffer.isBuffer(payload);
  if (
    !isText ||
    raw.url?.includes("pretty") !== true ||
    !JSON_TYPE.test(String(reply.getHeader("content-type")))
  )
    return payload;
  if (!wantsPretty(raw) || reply.hasHeader("content-encoding")) return payload;
  reply.removeHeader("content-length");
  return prettyText(payload.toString());
}

/** JSON with line breaks; every number as it was written. */
export function prettyText(json: string): string {
  return `${JSON.stringify(parseExact(json), null, INDENT)}\n`;
}
