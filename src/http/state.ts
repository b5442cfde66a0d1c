import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { whenDrained } from "../publishers/connection/drain.ts";
import { TooSlow } from "../publishers/connection/errors.ts";
import type { ConnectionFrames } from "../publishers/connection/frames.ts";
import type { Clock } from "../shared/clock.ts";
import { objectTexts } from "../publishers/state/objects.ts";
import type { PastStates } from "../reads/past-states.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import { compileFilter } from "../publishers/selection/filter-expression.ts";
import { parseStateQuery } from "../schemas/read-queries.ts";
import type { Principals } from "./access/principals.ts";
import { goneSignal } from "./gone.ts";
import { connectionFrames } from "./connection-frames.ts";
import { requestUrl } from "./request-url.ts";
import type { StatePlaces } from "./state-places.ts";

interface Layout {
  readonly contentType: string;
  readonly begin: string;
  readonly between: string;
  readonly end: string;
  readonly empty: string;
}

const ARRAY: Layout = {
  contentType: "application/cloudevents-batch+json; charset=utf-8",
  begin: "[",
  between: ",\n",
  end: "]\n",
  empty: "[]\n",
};
const LINES: Layout = {
  contentType: "application/x-ndjson; charset=utf-8",
  begin: "",
  between: "\n",
  end: "\n",
  empty: "",
};

interface StateDeps {
  readonly log: FeedLog;
  readonly past: Pick<PastStates, "at">;
  /** nomad://<cluster>/<region> */
  readonly source: string;
  /** Names of all signals there are: a query that names one is told that a state has none. */
  readonly signals: readonly string[];
  readonly nowMs: () => number;
  readonly clock: Clock;
  readonly principals: Pick<Principals, "accessOf">;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
  readonly statePlaces: StatePlaces;
  /** How long a reader may take nothing. */
  readonly stallTimeoutMs: number;
}

/**
 * The objects, current or of a moment that has passed, and the cursor at which they are true, from one consistent read,
 * as fast as the reader takes them.
 */
export function addStateRoute(app: FastifyInstance, deps: StateDeps): void {
  app.get("/v1/state", { exposeHeadRoute: false }, async (request, reply) => {
    const { conditions, at } = parseStateQuery(requestUrl(request.raw).searchParams, {
      signals: deps.signals,
      compileFilter,
      nowMs: deps.nowMs(),
    });
    const access = await deps.principals.accessOf(request.raw);
    const { source, nowMs, stallTimeoutMs } = deps;
    using place = new DisposableStack();
    place.defer(deps.statePlaces.take(request.raw, access));
    const gone = goneSignal(reply.raw);
    await using read = await (at === undefined ? deps.log.consistentRead() : deps.past.at(at));
    const task = await deps.reads.begin(gone);
    const batches = objectTexts(read, task, { conditions, access, source, nowMs, payload: "full" });
    // What is wrong before anything passed is still an answer of its own.
    const first = await batches.next();
    reply.hijack();
    const body = new StateBody(reply.raw, (request.headers.accept ?? "").includes("ndjson") ? LINES : ARRAY);
    const texts = first.done === true ? batches : withFirst(first.value, batches);
    await body.send(texts, {
      cursor: read.cursor,
      stallTimeoutMs,
      clock: deps.clock,
      frames: connectionFrames(deps),
      gone,
    });
    return reply;
  });
}

async function* withFirst<Item>(first: Item, rest: AsyncGenerator<Item>): AsyncGenerator<Item> {
  yield first;
  yield* rest;
}

/** One answer of many objects. Whatever breaks it off also breaks the connection, so that it never looks whole. */
class StateBody {
  readonly #response: ServerResponse;
  readonly #layout: Layout;
  #isEmpty = true;

  constructor(response: ServerResponse, layout: Layout) {
    this.#response = response;
    this.#layout = layout;
  }

  async send(
    texts: AsyncIterable<string[]>,
    options: {
      cursor: Cursor;
      stallTimeoutMs: number;
      clock: Clock;
      frames: ConnectionFrames;
      gone: AbortSignal;
    },
  ): Promise<void> {
    const { cursor, stallTimeoutMs, clock, frames, gone } = options;
    const response = this.#response;
    const { contentType, empty, end } = this.#layout;
    response.on("error", () => response.destroy());
    if (gone.aborted) return;
    response.writeHead(200, {
      "content-type": contentType,
      "cache-control": "no-store",
      "x-changefeed-cursor": formatCursor(cursor),
      "x-accel-buffering": "no",
    });
    try {
      for await (const batch of texts) {
        this.#write(batch);
        const drained = await whenDrained(response, { timeoutMs: stallTimeoutMs, signal: gone, clock });
        if (gone.aborted) return;
        if (!drained) throw new TooSlow(stallTimeoutMs);
      }
      response.end(this.#isEmpty ? empty : end);
    } catch (error) {
      if (gone.aborted) return;
      this.#breakOff(error, frames.error(error, undefined).json);
    }
  }

  /** Empties the batch, and writes bytes: of a string the socket would hold both until they are taken. */
  #write(batch: string[]): void {
    const { begin, between } = this.#layout;
    this.#response.write(Buffer.from(`${this.#isEmpty ? begin : between}${batch.splice(0).join(between)}`));
    this.#isEmpty = false;
  }

  #breakOff(error: unknown, frame: string): void {
    const response = this.#response;
    // Who reads nothing does not read this either.
    if (this.#layout !== LINES || error instanceof TooSlow) return void response.destroy();
    response.write(`${this.#isEmpty ? "" : "\n"}${frame}\n`, () => response.destroy());
  }
}
