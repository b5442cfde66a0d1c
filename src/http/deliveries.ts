import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Cursor } from "../schemas/cursor.ts";
import { ALERTS, deliveryOf, type AssignmentStatus } from "../schemas/assignment-schema.ts";
import type { Attempt, DeliveryDetails, DeliveryStatus, ParkedEvent } from "../schemas/delivery-schema.ts";
import {
  assertKnown,
  cursorOf,
  InvalidParameter,
  limitOf,
  oneOf,
  sinceOf,
  single,
} from "../schemas/subscription-schema.ts";
import type { Principals } from "./access/principals.ts";
import { assertManages } from "./managing.ts";
import { nextLink } from "./next-link.ts";
import { requestUrl } from "./request-url.ts";

/** What people see and do of deliveries, whichever worker they are with. All that name one reject with NoDelivery. */
export interface DeliverySteering {
  list(): Promise<DeliveryStatus[]>;
  show(name: string): Promise<DeliveryDetails>;
  pause(name: string, reason: string | null): Promise<unknown>;
  resume(name: string): Promise<unknown>;
  /** From after `cursor`, or from what was recorded since `sinceMs` (since 1970). */
  replay(name: string, from: { cursor: Cursor } | { sinceMs: number }): Promise<unknown>;
  /** Sends one event that is none of the log. */
  test(name: string): Promise<Attempt>;
  readonly deadLetters: {
    list(name: string, options: { limit: number; after?: Cursor }): Promise<ParkedEvent[]>;
    /** Answers how many are sent again, or were dropped. */
    retry(name: string, which: readonly Cursor[] | "all"): Promise<number>;
    drop(name: string, which: readonly Cursor[] | "all"): Promise<number>;
  };
}

interface DeliveriesDeps {
  readonly deliveries: DeliverySteering;
  /** Every assignment of the feed: who holds what. */
  readonly assignments: () => Promise<readonly AssignmentStatus[]>;
  readonly principals: Pick<Principals, "actorOf" | "authRequired">;
  readonly nowMs: () => number;
}

type NamedRequest = FastifyRequest<{ Params: { name: string } }>;

/** How deliveries go, and what people have them do: for whom the whole feed is. */
export function addDeliveriesRoutes(
  app: FastifyInstance,
  { deliveries, assignments, principals, nowMs }: DeliveriesDeps,
): void {
  const shown = async (name: string) => asHeld(await deliveries.show(name), await assignments());

  // Whatever comes as a body is not read: the query says it all.
  app.register(async (routes) => {
    routes.addContentTypeParser("*", (_request, _payload, done) => done(null));
    routes.addHook("onRequest", async ({ raw }) => assertManages(principals, raw));
    routes.addHook("onSend", async (_request, reply) => void reply.header("cache-control", "no-store"));

    /** What is done where this is posted, with a query of these parameters alone. */
    const post = (
      what: string,
      parameters: readonly string[],
      act: (name: string, query: URLSearchParams) => Promise<object>,
    ) =>
      routes.post(`/v1/deliveries/:name/${what}`, async ({ raw, params: { name } }: NamedRequest) => {
        const { searchParams } = requestUrl(raw);
        assertKnown(searchParams, parameters);
        return act(name, searchParams);
      });

    routes.get("/v1/deliveries", async () => {
      const [all, held] = [await deliveries.list(), await assignments()];
      return { deliveries: all.map((delivery) => asHeld(delivery, held)) };
    });
    routes.get("/v1/deliveries/:name", async ({ params: { name } }: NamedRequest) => shown(name));
    post("pause", ["reason"], async (name, query) => {
      await deliveries.pause(name, single(query, "reason") ?? null);
      return shown(name);
    });
    post("resume", [], async (name) => {
      await deliveries.resume(name);
      return shown(name);
    });
    post("replay", ["cursor", "since"], async (name, query) => {
      await deliveries.replay(name, replayFrom(query, nowMs()));
      return shown(name);
    });
    post("test", [], (name) => deliveries.test(name));

    routes.get("/v1/deliveries/:name/dead-letters", async (request: NamedRequest, reply) => {
      const { searchParams } = requestUrl(request.raw);
      assertKnown(searchParams, ["limit", "after"]);
      const limit = limitOf(searchParams, "page") ?? 0;
      const after = single(searchParams, "after");
      const deadLetters = await deliveries.deadLetters.list(request.params.name, {
        limit,
        ...(after !== undefined && { after: cursorOf("after", after, ["<cursor>"]) }),
      });
      const last = deadLetters.at(-1);
      if (last !== undefined && deadLetters.length === limit) {
        searchParams.set("after", last.cursor);
        reply.header("link", nextLink(searchParams));
      }
      return { deadLetters };
    });
    post("dead-letters/retry", ["cursor", "all"], async (name, query) => ({
      retried: await deliveries.deadLetters.retry(name, lettersIn(query)),
    }));
    post("dead-letters/drop", ["cursor", "all"], async (name, query) => ({
      dropped: await deliveries.deadLetters.drop(name, lettersIn(query)),
    }));
  });
}

/** A position does not tell whether anybody goes on from it. */
function asHeld<Status extends DeliveryStatus>(
  delivery: Status,
  assignments: readonly AssignmentStatus[],
): Status {
  const { name, state, kind } = delivery;
  const isOf = ({ assignment }: AssignmentStatus) =>
    kind === "alerts" ? assignment === ALERTS : deliveryOf(assignment) === name;
  const status = assignments.find(isOf);
  // Of alerts, whoever makes them tells all destinations.
  if (status?.state === "held") return kind === "alerts" ? { ...delivery, worker: status.worker } : delivery;
  if (state === "paused" || state === "removed") return delivery;
  return { ...delivery, state: "waiting", worker: null, reason: status?.reason ?? UNPLANNED[kind] };
}

const UNPLANNED: Readonly<Record<DeliveryStatus["kind"], string>> = {
  events: "the worker that plans does not have it in its configuration",
  alerts: "nobody makes alerts: the worker that plans has alerts: off in its configuration",
};

function replayFrom(query: URLSearchParams, nowMs: number): { cursor: Cursor } | { sinceMs: number } {
  const cursor = single(query, "cursor");
  const since = single(query, "since");
  if (cursor !== undefined && since === undefined)
    return { cursor: cursorOf("cursor", cursor, ["<cursor>"]) };
  if (since !== undefined && cursor === undefined) return { sinceMs: sinceOf(since, "since", nowMs) };
  throw new InvalidParameter("Say from where to send again", cursor === undefined ? "since" : "cursor", [
    "cursor=<cursor> or since=<time or age>, one of them",
  ]);
}

function lettersIn(query: URLSearchParams): readonly Cursor[] | "all" {
  const cursors = query.getAll("cursor");
  const all = oneOf(query, "all", ["true"]) !== undefined;
  if (all && cursors.length === 0) return "all";
  if (!all && cursors.length > 0) return cursors.map((text) => cursorOf("cursor", text, ["<cursor>"]));
  throw new InvalidParameter("Say which dead letters", "cursor", [
    "cursor=<cursor>, as often as there are letters, or all=true",
  ]);
}
