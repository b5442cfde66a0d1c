import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { InvalidMessage } from "../errors.ts";

export interface ClientListeners {
  /** The client asked for a pong frame. */
  readonly onPing: (ping: number) => void;
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
  { pingIntervalMs, onPing, onEnd }: ClientListeners & { pingIntervalMs: number },
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
    const ping = !isBinary && Buffer.isBuffer(data) ? parsePing(data.toString()) : undefined;
    if (ping === undefined) onEnd(new InvalidMessage());
    else onPing(ping);
  });
  // ws closes the connection itself after a broken or overlong frame.
  webSocket.on("error", () => onEnd());
  webSocket.once("close", () => {
    clearInterval(timer);
    onEnd();
  });
}

/** n of `{"ping":n}`; undefined for anything else. */
function parsePing(text: string): number | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null || Object.keys(message).join() !== "ping")
      return undefined;
    const { ping } = message as { ping: unknown };
    return typeof ping === "number" && Number.isSafeInteger(ping) ? ping : undefined;
  } catch {
    return undefined;
  }
}
