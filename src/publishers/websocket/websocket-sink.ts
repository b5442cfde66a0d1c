import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { whenDrained } from "../drain.ts";
import type { Frame, Sink } from "../sink.ts";

/** A subscriber on a WebSocket: one text frame a CloudEvent, the socket corked per batch. */
export class WebSocketSink implements Sink {
  readonly format = "websocket";
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  write(frames: readonly Frame[]): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    this.#socket.cork();
    for (const { json } of frames) this.#webSocket.send(json);
    this.#socket.uncork();
  }

  drained(options: { timeoutMs: number; signal: AbortSignal }): Promise<boolean> {
    return whenDrained(this.#socket, options);
  }

  end(closeCode: number, reason: string): void {
    this.#webSocket.close(closeCode, reason);
  }
}
