import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createEventFilter } from "../publishers/selection/event-filter.ts";
import { NdjsonSink } from "../publishers/ndjson/ndjson-sink.ts";
import { readNewestFirst } from "../publishers/pages/newest-first.ts";
import { readPage } from "../publishers/pages/page.ts";
import { payloadText } from "../publishers/selection/payload.ts";
import type { Sink } from "../publishers/connection/sink.ts";
import { SseSink } from "../publishers/sse/sse-sink.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { DEFAULT_PAGE_LIMIT, type Format, type Subscription } from "../schemas/subscription-schema.ts";
import { UpgradeLost } from "./errors.ts";
import { goneSignal } from "./gone.ts";
import { keepTimes, nextLink } from "./next-link.ts";
import { requestUrl } from "./request-url.ts";
import { admit, beginStream, type Admitted, type StreamDeps } from "./subscribe.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

export const EVENTS_PATH = "/v1/events";

interface EventsDeps extends StreamDeps {
  readonly unread: UnreadAnswers;
}

type HttpFormat = Exclude<Format, "websocket">;

const FORMAT_OF_MEDIA_TYPE: ReadonlyMap<string, HttpFormat> = new Map(
  Object.entries<HttpFormat>({
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/cloudevents-batch+json": "page",
    "application/json": "page",
  }),
);

/** `GET /v1/events` without an upgrade: SSE, NDJSON, or a page. */
export function addEventsRoute(app: FastifyInstance, deps: EventsDeps): void {
  app.get(EVENTS_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const format = formatOf(request.headers.accept ?? "");
    if (format === "page" && "sec-websocket-key" in request.headers) throw new UpgradeLost();
    const admitted = await admit(deps, request.raw, format);
    if (format === "page") return sendPage(deps, admitted, request, reply);
    reply.hijack();
    const { raw } = reply;
    const end = beginStream(deps, request.raw, { ...admitted, sink: createSink(format, raw, deps) });
    raw.once("close", () => end());
    raw.on("error", () => end());
    if (raw.closed) end();
    return reply;
  });
}

/** The first media type that we have. */
export function formatOf(accept: string): HttpFormat {
  for (const part of accept.toLowerCase().split(",")) {
    const format = FORMAT_OF_MEDIA_TYPE.get(part.split(";", 1)[0]?.trim() ?? "");
    if (format !== undefined) return format;
  }
  return "page";
}

function createSink(
  format: "sse" | "ndjson",
  response: ServerResponse,
  { pingIntervalMs, clock }: Pick<EventsDeps, "pingIntervalMs" | "clock">,
): Sink {
  return format === "sse"
    ? new SseSink(response, { heartbeatIntervalMs: pingIntervalMs, clock })
    : new NdjsonSink(response, clock);
}

async function sendPage(
  deps: EventsDeps,
  { subscription, start, access }: Admitted,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const task = await deps.reads.begin(goneSignal(reply.raw));
  const budget = deps.unread.budgetForPage(reply.raw);
  const { conditions, order, sinceMs, untilMs, limit = DEFAULT_PAGE_LIMIT } = subscription;
  const { maxBytes } = budget;
  const isNewestFirst = order === "newest-first";
  const page = isNewestFirst
    ? await readNewestFirst(deps.log, task, { start, sinceMs, untilMs, conditions, access, limit, maxBytes })
    : await readPage(deps.log, task, {
        cursor: start.cursor,
        untilMs,
        filter: createEventFilter(conditions, access),
        limit,
        maxBytes,
      });
  // Oldest first read after the page, so that equal headers mean that nothing was missing; else where it began.
  const head = isNewestFirst ? start.head : await deps.log.head();
  const cursor = formatCursor(page.cursor);
  const text = `[${page.entries.map((entry) => payloadText(entry, subscription.payload)).join(",\n")}]\n`;
  budget.settle(Buffer.byteLength(text));
  if (start.gap !== undefined || page.hasGap) reply.header("x-changefeed-gap", "true");
  if (!page.isLast) reply.header("link", nextLink(nextPage(request, subscription, cursor)));
  return reply
    .type("application/cloudevents-batch+json; charset=utf-8")
    .header("cache-control", "no-store")
    .header("x-changefeed-cursor", cursor)
    .header("x-changefeed-head", formatCursor(head))
    .header("x-changefeed-floor", formatCursor({ epoch: head.epoch, sequence: head.floor }))
    .send(text);
}

function nextPage(
  request: FastifyRequest,
  { sinceMs, untilMs }: Subscription,
  cursor: string,
): URLSearchParams {
  const { searchParams } = requestUrl(request.raw);
  searchParams.delete("since");
  keepTimes(searchParams, { sinceMs, untilMs });
  // Its stored cursor would go first.
  searchParams.delete("consumer");
  searchParams.delete("lastEventId");
  searchParams.set("cursor", cursor);
  return searchParams;
}
