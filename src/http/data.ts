import type { FastifyInstance } from "fastify";
import { CursorExpired, EpochChanged } from "../feed/errors.ts";
import type { FeedHead, FeedLog } from "../feed/log.ts";
import { eventAt } from "../publishers/pages/event-at.ts";
import { EVERYTHING, type Access } from "../publishers/selection/access.ts";
import type { Cursor } from "../schemas/cursor.ts";
import type { Principals } from "./access/principals.ts";
import { NoData } from "./errors.ts";
import { cursorInPath } from "./event.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

interface DataDeps {
  readonly log: FeedLog;
  readonly principals: Pick<Principals, "accessOf">;
  readonly unread: UnreadAnswers;
}

/** Where the `dataref` of an oversized event points. */
export function addDataRoute(app: FastifyInstance, { log, principals, unread }: DataDeps): void {
  app.get<{ Params: { cursor: string } }>("/v1/data/:cursor", async (request, reply) => {
    const data = await dataOf(log, request.params.cursor, await principals.accessOf(request.raw));
    unread.holdWhole(reply.raw, Buffer.byteLength(data));
    return reply.type("application/json; charset=utf-8").send(data);
  });
}

async function dataOf(log: FeedLog, text: string, access: Access): Promise<string> {
  const cursor = cursorInPath(text);
  const head = await log.head();
  if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
  // Of what one may not see, not even whether it is large is told.
  if (!(await maySeeEvent(log, cursor, head, access))) throw new NoData(cursor, head);
  const data = await log.overflow(cursor.sequence);
  if (data !== undefined) return data;
  // The floor is the newest event that is gone, so an event at the floor is gone too.
  if (cursor.sequence > 0 && cursor.sequence <= head.floor) {
    throw new CursorExpired(cursor, { epoch: head.epoch, sequence: head.floor });
  }
  throw new NoData(cursor, head);
}

/** An event that does not exist, or does no more, is nothing to hide. */
async function maySeeEvent(log: FeedLog, cursor: Cursor, head: FeedHead, access: Access): Promise<boolean> {
  if (access === EVERYTHING || cursor.sequence <= head.floor || cursor.sequence > head.sequence) return true;
  const entry = await eventAt(log, cursor);
  return entry !== undefined && access.maySee(entry);
}
