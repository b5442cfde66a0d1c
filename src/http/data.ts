import type { FastifyInstance } from "fastify";
import { CursorExpired, EpochChanged } from "../feed/errors.ts";
import type { FeedLog } from "../feed/log.ts";
import { parseCursor } from "../schemas/cursor.ts";
import { InvalidParameter } from "../schemas/subscription-schema.ts";
import { NoData } from "./errors.ts";

/** Where the `dataref` of an oversized event points. */
export function addDataRoute(app: FastifyInstance, log: FeedLog): void {
  app.get<{ Params: { cursor: string } }>("/v1/data/:cursor", async (request, reply) => {
    const data = await dataOf(log, request.params.cursor);
    return reply.type("application/json; charset=utf-8").send(data);
  });
}

async function dataOf(log: FeedLog, text: string): Promise<string> {
  const cursor = parseCursor(text);
  if (cursor === undefined) {
    throw new InvalidParameter("The path does not end in a cursor", "cursor", ["<cursor of an event>"]);
  }
  const head = await log.head();
  if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
  const data = await log.overflow(cursor.sequence);
  if (data !== undefined) return data;
  // The floor is the newest event that is gone, so an event at the floor is gone too.
  if (cursor.sequence > 0 && cursor.sequence <= head.floor) {
    throw new CursorExpired(cursor, { epoch: head.epoch, sequence: head.floor });
  }
  throw new NoData(cursor, head);
}
