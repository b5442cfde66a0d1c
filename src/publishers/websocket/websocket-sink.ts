import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { Drain } from "../connection/drain.ts";
import type { Frame, Sink } from "../connection/sink.ts";
import { PreparedFrames, textFrame } from "./prepared-frames.ts";

/** A subscriber on a WebSocket: one text frame a CloudEvent, the socket corked per batch. */
export class WebSocketSink implements Sink {
  readonly format = "websocket";
  readonly encode = textFrame;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #prepared: PreparedFrames;
  readonly #drain = new Drain();

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#prepared = new PreparedFrames(webSocket, socket);
  }

  write(frames: readonly Frame[]): void {
    if (!this.#isOpen) return;
    this.#socket.cork();
    for (const { json } of frames) this.#webSocket.send(json, this.#drain.begin());
    this.#socket.uncork();
  }

  writeEncoded(chunks: readonly Buffer[]): void {
    if (this.#isOpen) this.#prepared.write(chunks, this.#drain);
  }

  /** A socket that took all at once says so before it calls back. */
  get isClear(): boolean {
    return this.#webSocket.bufferedAmount === 0 || this.#drain.isClear;
  }

  whenClear(onClear: () => void): void {
    this.#drain.whenClear(onClear);
  }

  end(closeCode: number, reason: string): void {
    this.#webSocket.close(closeCode, reason);
  }

  get #isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }
}
