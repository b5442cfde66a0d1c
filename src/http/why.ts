import type { FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import type { PastStates } from "../reads/past-states.ts";
import { whyOf } from "../reads/why/why.ts";
import { parseWhyQuery } from "../schemas/read-queries.ts";
import type { Principals } from "./access/principals.ts";
import { goneSignal } from "./gone.ts";
import { requestUrl } from "./request-url.ts";
import type { StatePlaces } from "./state-places.ts";

interface WhyDeps {
  readonly log: FeedLog;
  readonly past: Pick<PastStates, "at">;
  readonly nowMs: () => number;
  readonly principals: Pick<Principals, "accessOf">;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
  readonly statePlaces: StatePlaces;
}

/** What led to an object's state: a chain of causes and effects, and the same as a story. */
export function addWhyRoute(app: FastifyInstance, deps: WhyDeps): void {
  app.get("/v1/why", { exposeHeadRoute: false }, async (request, reply) => {
    const question = parseWhyQuery(requestUrl(request.raw).searchParams, deps.nowMs());
    const access = await deps.principals.accessOf(request.raw);
    using place = new DisposableStack();
    place.defer(deps.statePlaces.take(request.raw, access));
    const task = await deps.reads.begin(goneSignal(reply.raw));
    const answer = await whyOf(deps, { ...question, access, task });
    return reply.header("cache-control", "no-store").type("application/json; charset=utf-8").send(answer);
  });
}
