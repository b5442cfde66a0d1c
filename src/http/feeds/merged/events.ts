import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { NdjsonSink } from "../../../publishers/ndjson/ndjson-sink.ts";
import type { Sink } from "../../../publishers/connection/sink.ts";
import { SseSink } from "../../../publishers/sse/sse-sink.ts";
import { listenToClient } from "../../../publishers/websocket/listen.ts";
import { WebSocketSink } from "../../../publishers/websocket/websocket-sink.ts";
import { InvalidParameter, single } from "../../../schemas/subscription-schema.ts";
import { count } from "../../../schemas/value-types.ts";
import type { Clock } from "../../../shared/clock.ts";
import { formatOf } from "../../events.ts";
import { prettyText } from "../../pretty.ts";
import { requestUrl, wantsPretty } from "../../request-url.ts";
import { tooManyPings, turnAway } from "../../upgrade.ts";
import { notOpenTo } from "../../waiting-room.ts";
import { createWebSockets } from "../../web-sockets.ts";
import type { Answer } from "../mount.ts";
import type { MountedFeeds } from "../mounted-feeds.ts";
import { mergedPage } from "./page.ts";
import { questionOf, type Question } from "./question.ts";
import { failureIn, FEEDS_SOURCE, MergedStream, type Joined } from "./stream.ts";
import { bodyOf, isMistake, mayBeSeen, openUpstream } from "./upstream.ts";

const PING_EVERY_MS = 20_000;

export interface MergedDeps {
  readonly feeds: MountedFeeds;
  readonly clock: Clock;
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal;
}

/** `GET /v1/events` over all feeds: SSE, NDJSON, or a page. @throws InvalidParameter */
export async function answerMerged(
  message: IncomingMessage,
  response: ServerResponse,
  deps: MergedDeps,
): Promise<void> {
  const format = formatOf(message.headers.accept ?? "");
  const question = questionOf(message, deps.clock.now(), format);
  if (format === "page") {
    const answer = await mergedPage(message, question, deps.feeds.all());
    send(response, wantsPretty(message) ? { ...answer, body: prettyText(answer.body) } : answer);
    return;
  }
  const limit = limitIn(message);
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the subscriber is gone")));
  const entered = await enter(message, question, { ...deps, signal: gone.signal });
  if (!Array.isArray(entered)) {
    send(response, entered);
    return;
  }
  const { clock, stopping } = deps;
  const sink: Sink =
    format === "sse"
      ? new SseSink(response, { heartbeatIntervalMs: PING_EVERY_MS, clock })
      : new NdjsonSink(response, clock);
  const stream = new MergedStream({ message, question, sink, clock, random: Math.random, limit, stopping });
  response.once("close", () => stream.end());
  await stream.run(entered, deps.feeds);
}

/** The same as a WebSocket. Where it cannot be, the answer says why. */
export function createMergedUpgrade(deps: MergedDeps) {
  const server = createWebSockets();
  return async (message: IncomingMessage, socket: Socket, head: Buffer): Promise<Answer | undefined> => {
    const question = questionOf(message, deps.clock.now(), "websocket");
    const limit = limitIn(message);
    const gone = new AbortController();
    socket.once("close", () => gone.abort(new Error("the subscriber is gone")));
    const entered = await enter(message, question, { ...deps, signal: gone.signal });
    if (!Array.isArray(entered)) return entered;
    server.handleUpgrade(message, socket, head, (webSocket) => {
      const { clock, stopping } = deps;
      const sink = new WebSocketSink(webSocket, socket);
      const random = Math.random;
      const stream = new MergedStream({ message, question, sink, clock, random, limit, stopping });
      listenToClient(webSocket, socket, {
        pingIntervalMs: PING_EVERY_MS,
        clock,
        onPing: (ping) => stream.pong(ping),
        onEnd: (error) => stream.end(error),
        onFlood: (perSecond) => stream.end(tooManyPings(perSecond)),
      });
      void stream.run(entered, deps.feeds);
    });
    return undefined;
  };
}

/** A page cannot read why an upgrade was refused. */
export function turnAwayMerged(
  message: IncomingMessage,
  socket: Socket,
  head: Buffer,
  { body, nowMs }: { readonly body: string; readonly nowMs: number },
): void {
  createWebSockets().handleUpgrade(message, socket, head, (webSocket) => {
    turnAway(webSocket, failureIn(body), { source: FEEDS_SOURCE, nowMs });
  });
}

/**
 * The streams of the feeds that let in whoever asks, and the feeds that are not there to say it yet; or the answer, where
 * none does, or the question is wrong.
 */
async function enter(
  message: IncomingMessage,
  question: Question,
  { feeds, signal, clock }: MergedDeps & { signal: AbortSignal },
): Promise<Joined[] | Answer> {
  const joined = await Promise.all(
    feeds.all().map(async (feed): Promise<Joined> => {
      const query = question.queryFor(feed.name, undefined);
      query.delete("limit");
      return {
        feed,
        response: await openUpstream(feed, message, { query, signal, clock }).catch(() => undefined),
      };
    }),
  );
  const refused = joined.filter(({ response }) => (response?.statusCode ?? 0) >= 400);
  const isEntered = joined.some(({ response }) => response?.statusCode === 200);
  const mistake = refused.find(({ response }) => response !== undefined && isMistake(response));
  const { response: answer } = mistake ?? (isEntered ? undefined : refused[0]) ?? {};
  if (answer !== undefined) {
    for (const { response } of joined) if (response !== answer) response?.destroy();
    return answerOf(answer);
  }
  if (isEntered) return joined.filter(({ response }) => response === undefined || mayBeSeen(response));
  return notOpenTo(message, "no feed is served", clock);
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 502, headers } = response;
  return { status, headers, body: await bodyOf(response) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const {
    "transfer-encoding": _coding,
    "content-length": _length,
    connection: _connection,
    ...shown
  } = headers;
  response.writeHead(status, { "cache-control": "no-store", ...shown }).end(body);
}

/** @throws InvalidParameter */
function limitIn(message: IncomingMessage): number | undefined {
  const given = single(requestUrl(message).searchParams, "limit");
  if (given === undefined) return undefined;
  const parsed = count().schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidParameter("The limit is no number of events", "limit", ["a whole number from 1"]);
}
