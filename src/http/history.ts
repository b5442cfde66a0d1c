import type { FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { readHistory } from "../publishers/pages/history.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { parseHistoryQuery } from "../schemas/read-queries.ts";
import type { Principals } from "./access/principals.ts";
import { goneSignal } from "./gone.ts";
import { keepTimes, nextLink } from "./next-link.ts";
import { requestUrl } from "./request-url.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

const HISTORY_PATH = "/v1/history";

interface HistoryDeps {
  readonly log: FeedLog;
  /** Names of all signals there are, for `signal=`. */
  readonly signals: readonly string[];
  readonly nowMs: () => number;
  readonly principals: Pick<Principals, "accessOf">;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
  readonly unread: UnreadAnswers;
}

/** What happened to an object, a job or a node, by index: pages of events, their bytes as in the feed. */
export function addHistoryRoute(app: FastifyInstance, deps: HistoryDeps): void {
  app.get(HISTORY_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const { searchParams } = requestUrl(request.raw);
    const { signals, nowMs } = deps;
    const wanted = parseHistoryQuery(searchParams, { signals, nowMs: nowMs() });
    const access = await deps.principals.accessOf(request.raw);
    const task = await deps.reads.begin(goneSignal(reply.raw));
    const budget = deps.unread.budgetForPage(reply.raw);
    const { maxBytes } = budget;
    const page = await readHistory(deps.log, task, { request: wanted, access, maxBytes });
    const text = `[${page.entries.map(({ json }) => json).join(",\n")}]\n`;
    budget.settle(Buffer.byteLength(text));
    const cursor = formatCursor(page.cursor);
    if (page.more) {
      keepTimes(searchParams, wanted);
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
