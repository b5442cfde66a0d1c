import type { IncomingMessage } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ClientGone } from "../publishers/fanout/subscriber.ts";
import type { ConnectionFrames } from "../publishers/connection/frames.ts";
import { jsonText } from "../schemas/line-safe.ts";
import type { Clock } from "../shared/clock.ts";
import type { AccessLog } from "./access/access-log.ts";
import type { Gate } from "./access/gate.ts";
import { isPreflight } from "./access/origins.ts";
import { refusalOf } from "./ended-stream.ts";
import { MethodNotAllowed, methodsOf, NotFound } from "./errors.ts";
import type { Listener } from "./listener.ts";
import { prettyWhereWanted } from "./pretty.ts";
import { endWhereUnread } from "./unread.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether this request is answered to those without a token too. Absent: none is. */
    readonly needsNoToken?: (request: IncomingMessage) => boolean;
  }
}

interface AppDeps {
  readonly listener: Listener;
  readonly gate: Gate;
  readonly accessLog: AccessLog;
  readonly frames: () => ConnectionFrames;
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

/** What all routes have in common: the gate before them, and how an error is answered. */
export function createApp(deps: AppDeps): FastifyInstance {
  const { gate, accessLog, listener, stallTimeoutMs, clock } = deps;

  const refuse = (error: unknown, { raw }: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof ClientGone) return reply.hijack();
    void accessLog.refused(raw, error);
    const { status, headers, body } = refusalOf(error, raw, deps.frames);
    return reply.code(status).headers(headers).send(body);
  };

  const enter = async (
    { raw, routeOptions: { url, config } }: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> => {
    gate.origins.allowReading(raw, reply.raw);
    // No body is read, so what it is said to be is not looked at either: it may be nonsense, or missing.
    raw.headers["content-type"] = "application/octet-stream";
    const asksFirst = isPreflight(raw);
    const needsNoToken = config.needsNoToken?.(raw) ?? false;
    await gate.enter(raw, { route: url, isPreflight: asksFirst, needsNoToken });
    if (!asksFirst) return;
    gate.origins.answerPreflight(reply.raw);
    await reply.code(204).send();
  };

  const app = fastify({
    logger: false,
    serverFactory: listener.create,
    // The gate says it in our words.
    return503OnClosing: false,
    // A path that cannot be decoded, or that is longer than any we have, comes to no route and to no hook.
    frameworkErrors: (_error, request, reply) => {
      gate.origins.allowReading(request.raw, reply.raw);
      void gate
        .enter(request.raw)
        .then(() => new NotFound(request.method, request.url))
        .catch((error: unknown) => error)
        .then((error) => refuse(error, request, reply));
    },
  });
  app.setReplySerializer((payload) => jsonText(payload as object));
  // Nobody has a body to send us, so none is read, and none can be a bad one.
  app.removeAllContentTypeParsers();
  app.addHook("onRequest", enter);
  // Streams and states take their responses over before, and watch their readers themselves.
  app.addHook("onSend", async (request, reply, payload) => {
    endWhereUnread(reply.raw, stallTimeoutMs, clock);
    return prettyWhereWanted(request, reply, payload);
  });
  app.setNotFoundHandler(({ method, url }) => {
    const methods = methodsOf(url);
    throw methods.length > 0 ? new MethodNotAllowed(method, methods) : new NotFound(method, url);
  });
  app.setErrorHandler(async (error, request, reply) => refuse(error, request, reply));
  return app;
}
