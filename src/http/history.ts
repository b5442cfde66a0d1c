import type { FastifyInstance } from "fastify";
import { GoingAway } from "../publishers/connection/errors.ts";
import { readHistory } from "../publishers/pages/history.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { parseHistoryQuery } from "../schemas/read-queries.ts";
import { goneSignal } from "./gone.ts";
import { nextLink } from "./next-link.ts";
import { requestUrl, type SubscribeDeps } from "./subscribe.ts";

const HISTORY_PATH = "/v1/history";

/** What happened to an object, a job or a node, by index: pages of events, their bytes as in the feed. */
export function addHistoryRoute(app: FastifyInstance, deps: SubscribeDeps): void {
  app.get(HISTORY_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    if (deps.isStopping()) throw new GoingAway();
    const { searchParams } = requestUrl(request.raw);
    const { signals, nowMs } = deps;
    const wanted = parseHistoryQuery(searchParams, { signals, nowMs: nowMs() });
    const access = await deps.accessOf(request.raw);
    const task = await deps.reads.begin(goneSignal(reply.raw));
    const budget = deps.unread.budgetForPage(reply.raw);
    const { maxBytes } = budget;
    const page = await readHistory(deps.log, task, { request: wanted, access, maxBytes });
    const text = `[${page.entries.map(({ json }) => json).join(",\n")}]\n`;
    budget.settle(Buffer.byteLength(text));
    const cursor = formatCursor(page.cursor);
    if (page.more) {
      searchParams.set("cursor", cursor);
      reply.header("link", nextLink(searchParams));
    }
    const { epoch, floor } = page.head;
    return reply
      .type("application/cloudevents-batch+json; charset=utf-8")
      .header("cache-control", "no-store")
      .header("x-changefeed-cursor", cursor)
      .header("x-changefeed-floor", formatCursor({ epoch, sequence: floor }))
      .send(text);
  });
}
