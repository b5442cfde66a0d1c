import type { FastifyInstance, FastifyRequest } from "fastify";
import { EpochChanged, FutureCursor } from "../feed/errors.ts";
import type { Consumer, FeedHead } from "../feed/log.ts";
import type { ConsumerStatus } from "../schemas/consumer-schema.ts";
import { formatCursor } from "../schemas/cursor.ts";
import {
  assertConsumerName,
  assertKnown,
  CONSUMER_NAME,
  cursorOf,
  InvalidParameter,
  single,
} from "../schemas/subscription-schema.ts";
import { NoConsumer } from "./errors.ts";
import { ownConsumers, type OwnConsumers, type OwnConsumersDeps } from "./own-consumers.ts";
import { requestUrl } from "./request-url.ts";

type NamedRequest = FastifyRequest<{ Params: { name: string } }>;

/** The cursors that the server keeps for those who asked it to. */
export function addConsumersRoutes(app: FastifyInstance, deps: OwnConsumersDeps): void {
  const { log } = deps;

  // Whatever comes as a body is not read: the query says it all.
  app.register(async (routes) => {
    routes.addContentTypeParser("*", (_request, _payload, done) => done(null));
    routes.addHook("onSend", async (_request, reply) => void reply.header("cache-control", "no-store"));

    routes.get("/v1/consumers", async ({ raw }) => {
      const own = await ownConsumers(deps, raw);
      const head = await log.head();
      // Other names are of what the feed itself delivers.
      const named = (await own.list()).filter(({ name }) => CONSUMER_NAME.test(name));
      return { consumers: named.map((consumer) => shown(consumer, head)) };
    });

    routes.get("/v1/consumers/:name", async (request: NamedRequest) => {
      const { name, consumers } = await admitted(request);
      const consumer = await consumers.get(name);
      if (consumer === undefined) throw new NoConsumer(name);
      return shown(consumer, await log.head());
    });

    routes.post("/v1/consumers/:name", async (request: NamedRequest) => {
      const { name, consumers } = await admitted(request);
      const { searchParams } = requestUrl(request.raw);
      assertKnown(searchParams, ["ack"]);
      const text = single(searchParams, "ack");
      if (text === undefined)
        throw new InvalidParameter("The cursor to store is missing", "ack", ["<cursor>"]);
      const cursor = cursorOf("ack", text, ["<cursor>"]);
      const head = await log.head();
      if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
      if (cursor.sequence > head.sequence) throw new FutureCursor(cursor, head);
      return shown(await consumers.put(name, cursor), head);
    });

    routes.delete("/v1/consumers/:name", async (request: NamedRequest, reply) => {
      const { name, consumers } = await admitted(request);
      if (!(await consumers.remove(name))) throw new NoConsumer(name);
      return reply.code(204).send();
    });
  });

  async function admitted({
    raw,
    params: { name },
  }: NamedRequest): Promise<{ name: string; consumers: OwnConsumers }> {
    const consumers = await ownConsumers(deps, raw);
    assertConsumerName(name, "name");
    return { name, consumers };
  }
}

function shown({ name, cursor, updatedAt, owner }: Consumer, head: FeedHead): ConsumerStatus {
  const behind = cursor.epoch === head.epoch ? Math.max(0, head.sequence - cursor.sequence) : null;
  return { name, cursor: formatCursor(cursor), updatedAt, behind, owner };
}
