import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { ConsumerAcks } from "../publishers/consumer-acks.ts";
import { listenToClient } from "../publishers/websocket/listen.ts";
import { WebSocketSink } from "../publishers/websocket/websocket-sink.ts";
import type { Problem } from "../schemas/problem-schema.ts";
import { NotFound } from "./errors.ts";
import { EVENTS_PATH } from "./events.ts";
import { assertOwnOrigin } from "./guard.ts";
import { PROBLEM_TYPE, problemOf, problemText } from "./problem.ts";
import { admit, requestUrl, type Admitted, type SubscribeDeps } from "./subscribe.ts";

/** A ping or an ack is all a client has to say. */
const MAX_MESSAGE_BYTES = 4096;
const SUBPROTOCOL = "cloudevents.json";

/** Handles the upgrade to a WebSocket on `/v1/events`; refuses, with the same errors as over HTTP, before it. */
export function createUpgradeHandler(
  deps: SubscribeDeps,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  return (request, socket, head) => {
    void upgrade(request, socket, head);
  };

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const onError = () => socket.destroy();
    socket.on("error", onError);
    try {
      const admitted = await admitUpgrade(deps, request);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", onError);
        serve(deps, admitted, webSocket, request.socket);
      });
    } catch (error) {
      const { status, problem } = problemOf(error);
      if (problem.code === "INTERNAL") {
        deps.logger.error({ err: error, url: request.url }, "Request failed");
      }
      refuse(socket, status, problem);
    }
  }
}

async function admitUpgrade(deps: SubscribeDeps, request: IncomingMessage): Promise<Admitted> {
  const { pathname } = requestUrl(request);
  if (pathname !== EVENTS_PATH) throw new NotFound("WebSocket at", pathname);
  deps.assertMayAsk(request);
  assertOwnOrigin(request);
  return admit(deps, request, "websocket");
}

function serve(deps: SubscribeDeps, admitted: Admitted, webSocket: WebSocket, socket: Socket): void {
  const sink = new WebSocketSink(webSocket, socket);
  const { consumer } = admitted.subscription;
  const acks = consumer === undefined ? undefined : new ConsumerAcks(deps.log.consumers, consumer);
  const end = deps.subscriptions.open({
    ...admitted,
    sink,
    ...(acks && { onReached: (cursor) => acks.reached(cursor) }),
  });
  listenToClient(webSocket, socket, {
    pingIntervalMs: deps.pingIntervalMs,
    onPing: (ping) => sink.write([admitted.frames.pong(ping)]),
    ...(acks && { onAck: (text) => void acks.ack(text).catch(end) }),
    onEnd: end,
  });
}

function refuse(socket: Duplex, status: number, problem: Problem): void {
  const body = problemText(problem);
  socket.once("finish", () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
