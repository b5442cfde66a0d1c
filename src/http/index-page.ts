import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { PROTOCOL_VERSION } from "../schemas/frames-schema.ts";
import { PAGE } from "./console/files.ts";
import { asksForPage, sendPage, type ConsoleDeps } from "./console/routes.ts";
import { askedAddress } from "./asked-address.ts";
import { ROUTES } from "./errors.ts";
import { jsonText } from "../schemas/line-safe.ts";

export interface IndexDeps extends ConsoleDeps {
  readonly log: FeedLog;
  /** nomad://<cluster>/<region> */
  readonly source: string;
  /** More for people to see, shown as it is. */
  readonly status?: () => object | Promise<object>;
}

/** What somebody sees who opens the address: a browser the console, everybody else what this is and how to go on. */
export function addIndexRoute(app: FastifyInstance, deps: IndexDeps): void {
  const { console: files } = deps;
  // The page holds no data; the JSON tells of the feed.
  const config = { needsNoToken: (request: IncomingMessage) => files !== undefined && asksForPage(request) };
  app.get("/", { config }, async (request, reply) => {
    reply.raw.appendHeader("vary", "Accept");
    if (files !== undefined && asksForPage(request)) return sendPage(request, reply, files);
    return sendIndex(deps, request, reply);
  });
  // For the page itself: its session is for what is below /v1.
  app.get("/v1/about", (request, reply) => sendIndex(deps, request, reply));
}

async function sendIndex(
  { log, source, status, console: files }: IndexDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const head = await log.head();
  const address = askedAddress(request);
  const index = {
    name: "nomad-changefeed",
    protocol: PROTOCOL_VERSION,
    source,
    console: files?.has(PAGE) === true ? `${address}/` : null,
    feed: {
      floor: formatCursor({ epoch: head.epoch, sequence: head.floor }),
      head: formatCursor(head),
      events: head.sequence - head.floor,
    },
    ...(status && { status: await status() }),
    routes: ROUTES,
    examples: [
      `curl '${address}/v1/events?since=10m'`,
      `curl -N '${address}/v1/events?types=allocations&minSeverity=WARN' -H 'Accept: application/x-ndjson'`,
      `npx wscat -c '${address.replace(/^http/, "ws")}/v1/events?types=jobs'`,
    ],
  };
  return reply
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(`${jsonText(index, 2)}\n`);
}
