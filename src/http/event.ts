import type { FastifyInstance } from "fastify";
import { CursorExpired, EpochChanged, FutureCursor } from "../feed/errors.ts";
import type { FeedLog } from "../feed/log.ts";
import { eventAt } from "../publishers/pages/event-at.ts";
import type { Access } from "../publishers/selection/access.ts";
import { parseCursor, type Cursor } from "../schemas/cursor.ts";
import type { LogEntry } from "../schemas/draft.ts";
import { assertKnown, InvalidParameter } from "../schemas/subscription-schema.ts";
import type { Principals } from "./access/principals.ts";
import { NoEvent } from "./errors.ts";
import { requestUrl } from "./request-url.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

interface EventDeps {
  readonly log: FeedLog;
  readonly principals: Pick<Principals, "accessOf">;
  readonly unread: UnreadAnswers;
}

/** One event by its cursor, the bytes that it has in the feed. */
export function addEventRoute(app: FastifyInstance, { log, principals, unread }: EventDeps): void {
  const path = "/v1/events/:cursor";
  app.get<{ Params: { cursor: string } }>(path, { exposeHeadRoute: false }, async (request, reply) => {
    assertKnown(requestUrl(request.raw).searchParams, []);
    const cursor = cursorInPath(request.params.cursor);
    const { json } = await visibleEvent(log, cursor, await principals.accessOf(request.raw));
    unread.holdWhole(reply.raw, Buffer.byteLength(json));
    return reply
      .type("application/cloudevents+json; charset=utf-8")
      .header("cache-control", "no-store")
      .send(`${json}\n`);
  });
}

/** @throws InvalidParameter */
export function cursorInPath(text: string): Cursor {
  const cursor = parseCursor(text);
  if (cursor !== undefined) return cursor;
  throw new InvalidParameter("The path does not end in a cursor", "cursor", ["<cursor of an event>"]);
}

async function visibleEvent(log: FeedLog, cursor: Cursor, access: Access): Promise<LogEntry> {
  const head = await log.head();
  const { epoch, floor } = head;
  if (cursor.epoch !== epoch) throw new EpochChanged(cursor, head);
  if (cursor.sequence > head.sequence) throw new FutureCursor(cursor, head);
  // The floor is the newest event that is gone. No log has an event 0.
  if (cursor.sequence <= floor && floor > 0) throw new CursorExpired(cursor, { epoch, sequence: floor });
  const entry = cursor.sequence === 0 ? undefined : await eventAt(log, cursor);
  if (entry === undefined || !access.maySee(entry)) throw new NoEvent(cursor);
  return entry;
}
