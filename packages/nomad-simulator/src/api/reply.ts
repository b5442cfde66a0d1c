import type { Random } from "../random.ts";
import type { Row } from "../store/row.ts";
import { keptPages } from "./kept-pages.ts";

/** The X-Nomad-* headers of a query. */
export interface QueryMeta {
  readonly index: number;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  /** Where the next page begins; none on the last one. */
  readonly nextToken?: string;
}

export interface Reply {
  readonly status: number;
  /** None for an empty body. */
  readonly contentType: string | undefined;
  readonly meta: QueryMeta | undefined;
  readonly body: string | ListBody;
}

/** A JSON array of rows, made while it is sent: a list can be hundreds of megabytes. */
interface ListBody {
  readonly rows: readonly Row[];
}

export function json(text: string, meta?: QueryMeta): Reply {
  return { status: 200, contentType: "application/json", meta, body: text };
}

export function list(rows: readonly Row[], meta: QueryMeta): Reply {
  return { status: 200, contentType: "application/json", meta, body: { rows } };
}

/** An error as Nomad words it: plain text without a newline, and no index unless one is given. */
export function problem(status: number, text: string, meta?: QueryMeta): Reply {
  return { status, contentType: text === "" ? undefined : "text/plain; charset=utf-8", meta, body: text };
}

export function empty(): Reply {
  return { status: 200, contentType: undefined, meta: undefined, body: "" };
}

export const PERMISSION_DENIED = problem(403, "Permission denied");
export const INVALID_METHOD = problem(405, "Invalid method");
export const NOT_FOUND = problem(404, "");

const CHUNK_BYTES = 1 << 20;
/** Beyond this many rows a list is sent in kept pages. */
const LONG_LIST_ROWS = 1000;

/** The body's bytes in chunks of about a megabyte. */
export function* bodyChunks(body: Reply["body"], random: Random): Generator<Buffer> {
  if (typeof body === "string") {
    if (body !== "") yield Buffer.from(body);
    return;
  }
  if (body.rows.length > LONG_LIST_ROWS) {
    yield* longBody(body.rows, random);
    return;
  }
  let parts: Buffer[] = [];
  let bytes = 0;
  let separator = "[";
  for (const row of body.rows) {
    const from = parts.push(Buffer.from(separator));
    separator = ",";
    row.render(parts, random);
    for (let position = from - 1; position < parts.length; position += 1)
      bytes += (parts[position] as Buffer).length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(parts, bytes);
    parts = [];
    bytes = 0;
  }
  parts.push(Buffer.from(body.rows.length === 0 ? "[]" : "]"));
  yield Buffer.concat(parts);
}

function* longBody(rows: readonly Row[], random: Random): Generator<Buffer> {
  let begun = false;
  for (const page of keptPages(rows, random)) {
    if (!begun) yield Buffer.from("[");
    yield begun ? page : page.subarray(1);
    begun = true;
  }
  yield Buffer.from("]");
}
