import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { InvalidMessage } from "../connection/errors.ts";
import { every, type Clock } from "../../shared/clock.ts";
import { TokenBucket } from "../../shared/token-bucket.ts";

/** Pings are answered, so who sends more is cut off. */
const PINGS = { perSecond: 10, burst: 50 };
/** Of acks only the newest counts, so who sends more is merely read more slowly. */
const MESSAGES = { perSecond: 500, burst: 2000 };

export interface ClientListeners {
  /** The client asked for a pong frame. */
  readonly onPing: (ping: number) => void;
  /** The client acknowledges a cursor, as it wrote it; absent: it may not. */
  readonly onAck?: (cursor: string) => void;
  /** The stream is over: the client is gone (no error), or sent what the protocol does not know. */
  readonly onEnd: (error?: InvalidMessage) => void;
  /** The stream is over: the client sends more than so many pings a second. */
  readonly onFlood: (perSecond: number) => void;
}

/**
 * Listens to what a client sends, and finds out when it is dead: no answer to a ping while nothing was left to
 * send. A client that is merely behind is the subscriber's business, not ours.
 */
export function listenToClient(
  webSocket: WebSocket,
  socket: Socket,
  {
    pingIntervalMs,
    clock,
    onPing,
    onAck,
    onEnd,
    onFlood,
  }: ClientListeners & { pingIntervalMs: number; clock: Clock },
): void {
  let alive = true;
  let hasEnded = false;
  const end: ClientListeners["onEnd"] = (error) => {
    hasEnded = true;
    onEnd(error);
  };
  const pings = new TokenBucket(PINGS, clock);
  const messages = new TokenBucket(MESSAGES, clock);
  const heard = () => {
    alive = true;
    messages.spend(1);
    if (webSocket.isPaused) return;
    // Answers pile up in the socket of a client that asks and does not read: let it wait.
    if (socket.writableNeedDrain) {
      webSocket.pause();
      socket.once("drain", () => webSocket.resume());
    } else if (messages.debtMs > 0) {
      webSocket.pause();
      clock.after(messages.debtMs, () => webSocket.resume());
    }
  };
  /** Whether it may be answered. */
  const mayPing = (): boolean => {
    if (hasEnded) return false;
    if (pings.tryTake()) return true;
    hasEnded = true;
    onFlood(PINGS.perSecond);
    return false;
  };
  const stopPings = every(clock, pingIntervalMs, () => {
    if (webSocket.bufferedAmount > 0) return;
    if (!alive) return webSocket.terminate();
    alive = false;
    webSocket.ping();
  });
  webSocket.on("ping", (data: Buffer) => {
    heard();
    if (mayPing()) webSocket.pong(data);
  });
  webSocket.on("pong", heard);
  webSocket.on("message", (data: RawData, isBinary: boolean) => {
    heard();
    if (hasEnded) return;
    const { ping, ack } = !isBinary && Buffer.isBuffer(data) ? parseMessage(data.toString()) : {};
    if (ping !== undefined) {
      if (mayPing()) onPing(ping);
    } else if (ack !== undefined && onAck !== undefined) onAck(ack);
    else end(new InvalidMessage());
  });
  // ws closes the connection itself after a broken or overlong frame.
  webSocket.on("error", () => end());
  webSocket.once("close", () => {
    stopPings();
    end();
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
