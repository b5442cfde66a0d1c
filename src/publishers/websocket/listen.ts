import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { InvalidMessage } from "../connection/errors.ts";

export interface ClientListeners {
  /** The client asked for a pong frame. */
  readonly onPing: (ping: number) => void;
  /** The client acknowledges a cursor, as it wrote it; absent: it may not. */
  readonly onAck?: (cursor: string) => void;
  /** The stream is over: the client is gone (no error), or sent what the protocol does not know. */
  readonly onEnd: (error?: InvalidMessage) => void;
}

/**
 * Listens to what a client sends, and finds out when it is dead: no answer to a ping while nothing was left to
 * send. A client that is merely behind is the subscriber's business, not ours.
 */
export function listenToClient(
  webSocket: WebSocket,
  socket: Socket,
  { pingIntervalMs, onPing, onAck, onEnd }: ClientListeners & { pingIntervalMs: number },
): void {
  let alive = true;
  const heard = () => {
    alive = true;
    // Answers pile up in the socket of a client that asks and does not read: let it wait.
    if (socket.writableNeedDrain && !webSocket.isPaused) {
      webSocket.pause();
      socket.once("drain", () => webSocket.resume());
    }
  };
  const timer = setInterval(() => {
    if (webSocket.bufferedAmount > 0) return;
    if (!alive) return webSocket.terminate();
    alive = false;
    webSocket.ping();
  }, pingIntervalMs).unref();
  webSocket.on("ping", heard);
  webSocket.on("pong", heard);
  webSocket.on("message", (data: RawData, isBinary: boolean) => {
    heard();
    const { ping, ack } = !isBinary && Buffer.isBuffer(data) ? parseMessage(data.toString()) : {};
    if (ping !== undefined) onPing(ping);
    else if (ack !== undefined && onAck !== undefined) onAck(ack);
    else onEnd(new InvalidMessage());
  });
  // ws closes the connection itself after a broken or overlong frame.
  webSocket.on("error", () => onEnd());
  webSocket.once("close", () => {
    clearInterval(timer);
    onEnd();
  });
}

/** The one member of `{"ping":n}` or `{"ack":"…"}`; none of anything else. */
function parseMessage(text: string): { readonly ping?: number; readonly ack?: string } {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null || Object.keys(message).length !== 1) return {};
    const { ping, ack } = message as { ping?: unknown; ack?: unknown };
    if (typeof ping === "number" && Number.isSafeInteger(ping)) return { ping };
    return typeof ack === "string" ? { ack } : {};
  } catch {
    return {};
  }
}
