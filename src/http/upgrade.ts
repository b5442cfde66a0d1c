import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { ConsumerAcks } from "../publishers/connection/consumer-acks.ts";
import { publicError, type PublicError } from "../publishers/connection/frames.ts";
import { outcomeOf } from "../publishers/connection/outcomes.ts";
import { listenToClient } from "../publishers/websocket/listen.ts";
import { WebSocketSink } from "../publishers/websocket/websocket-sink.ts";
import { errorFrame } from "../schemas/frames-schema.ts";
import { LimitReached } from "./access/errors.ts";
import { NotFound } from "./errors.ts";
import { EVENTS_PATH } from "./events.ts";
import type { AccessLog } from "./access/access-log.ts";
import type { Gate } from "./access/gate.ts";
import { problemAnswer } from "./problem.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import { requestUrl } from "./request-url.ts";
import { admit, beginStream, type Admitted, type StreamDeps } from "./subscribe.ts";
import { createWebSockets } from "./web-sockets.ts";

interface UpgradeDeps extends StreamDeps {
  readonly gate: Pick<Gate, "enter" | "origins">;
  readonly accessLog: Pick<AccessLog, "opened" | "refused">;
}

/** Handles the upgrade to a WebSocket on `/v1/events`; refuses, with the same errors as over HTTP, before it. */
export function createUpgradeHandler(
  deps: UpgradeDeps,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = createWebSockets();
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
        serve(deps, admitted, webSocket, request);
      });
    } catch (error) {
      void deps.accessLog.refused(request, error);
      if (request.headers.origin === undefined) return refuseUpgrade(socket, problemAnswer(error));
      server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", onError);
        const { source, nowMs } = deps;
        turnAway(webSocket, { ...publicError(error), ...outcomeOf(error) }, { source, nowMs: nowMs() });
      });
    }
  }
}

async function admitUpgrade(deps: UpgradeDeps, request: IncomingMessage): Promise<Admitted> {
  await deps.gate.enter(request);
  const { pathname } = requestUrl(request);
  if (pathname !== EVENTS_PATH) throw new NotFound("WebSocket at", pathname);
  return admit(deps, request, "websocket");
}

function serve(deps: UpgradeDeps, admitted: Admitted, webSocket: WebSocket, request: IncomingMessage): void {
  const { socket } = request;
  const sink = new WebSocketSink(webSocket, socket);
  const { consumer } = admitted.subscription;
  const acks =
    consumer === undefined ? undefined : new ConsumerAcks(admitted.consumers, consumer, deps.clock);
  const end = beginStream(deps, request, {
    ...admitted,
    sink,
    ...(acks && { onReached: (cursor) => acks.reached(cursor) }),
  });
  listenToClient(webSocket, socket, {
    pingIntervalMs: deps.pingIntervalMs,
    clock: deps.clock,
    onPing: (ping) => sink.write([admitted.frames.pong(ping)]),
    ...(acks && { onAck: (text) => void acks.ack(text).catch(end) }),
    onEnd: end,
    onFlood: (perSecond) => end(tooManyPings(perSecond)),
  });
}

export function tooManyPings(perSecond: number): LimitReached {
  return new LimitReached(`More than ${perSecond} pings a second come on this connection`, {
    retryAfterSeconds: 1,
    hint: "Ping every few seconds; the server pings by itself too",
  });
}

/** A page cannot read why an upgrade was refused; a browser's Origin shows that there may be one. */
export function turnAway(
  webSocket: WebSocket,
  { code, message, hint, closeCode }: PublicError & { readonly closeCode: number },
  { source, nowMs }: { readonly source: string; readonly nowMs: number },
): void {
  const context = { source, id: `${randomUUID()}/1`, time: new Date(nowMs).toISOString() };
  const said = { code, message, ...(hint !== undefined && { hint }), closeCode };
  webSocket.on("error", () => webSocket.terminate());
  webSocket.send(errorFrame(context, said));
  webSocket.close(closeCode, code);
}
