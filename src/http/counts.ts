import type { FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { compileFilter } from "../publishers/selection/filter-expression.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { countEvents } from "../reads/counts.ts";
import { parseCountsQuery } from "../schemas/read-queries.ts";
import type { Principals } from "./access/principals.ts";
import { goneSignal } from "./gone.ts";
import { requestUrl } from "./request-url.ts";

interface CountsDeps {
  readonly log: FeedLog;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  readonly nowMs: () => number;
  readonly principals: Pick<Principals, "accessOf">;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
}

/** How many events there were, over time. */
export function addCountsRoute(app: FastifyInstance, deps: CountsDeps): void {
  app.get("/v1/counts", { exposeHeadRoute: false }, async (request, reply) => {
    const { signals, nowMs } = deps;
    const { searchParams } = requestUrl(request.raw);
    const wanted = parseCountsQuery(searchParams, { signals, nowMs: nowMs(), compileFilter });
    const access = await deps.principals.accessOf(request.raw);
    const task = await deps.reads.begin(goneSignal(reply.raw));
    const counts = await countEvents(deps.log, task, { request: wanted, access });
    return reply.header("cache-control", "no-store").send(counts);
  });
}
