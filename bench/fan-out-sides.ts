import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setImmediate as others } from "node:timers/promises";
import { WebSocketServer, type WebSocket } from "ws";
import type { FromReceiver, ToReceiver } from "./fan-out-receiver.ts";
import { own } from "../test/support/own-processes.ts";

/** The process that receives. */
export class Receiver {
  readonly #child: ChildProcess = own(
    fork(join(import.meta.dirname, "fan-out-receiver.ts"), [], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    }),
    "receiver",
  );

  async open(
    url: string,
    sockets: number,
    options: { path?: string; stalled?: boolean } = {},
  ): Promise<void> {
    const { path = "/v1/events", stalled = false } = options;
    await this.#ask({ ask: "open", port: Number(new URL(url).port), path, sockets, stalled });
  }

  /** Resolves, once every socket that reads has `frames` more frames, to when each had, in ms since 1970. */
  async count(frames: number): Promise<{ all: Promise<readonly number[]> }> {
    await this.#ask({ ask: "count", frames });
    const all = this.#answer("counted").then((told) => (told.answer === "counted" ? told.atMs : []));
    return { all };
  }

  async close(): Promise<void> {
    this.#child.send({ ask: "close" } satisfies ToReceiver);
    await once(this.#child, "exit");
  }

  async #ask(message: ToReceiver): Promise<void> {
    const answer = this.#answer("ready");
    this.#child.send(message);
    await answer;
  }

  #answer(kind: FromReceiver["answer"]): Promise<FromReceiver> {
    return new Promise((resolve) => {
      const listen = (told: FromReceiver) => {
        if (told.answer !== kind) return;
        this.#child.off("message", listen);
        resolve(told);
      };
      this.#child.on("message", listen);
    });
  }
}

export const nowMs = () => performance.timeOrigin + performance.now();

/** What is held against: a bare server, and a loop that sends to all its sockets. */
export class BareServer {
  readonly webSockets: WebSocket[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server = createServer();
  readonly #webSocketServer = new WebSocketServer({ server: this.#server, perMessageDeflate: false });

  async listen(): Promise<string> {
    this.#webSocketServer.on("connection", (webSocket, request) => {
      this.webSockets.push(webSocket);
      this.sockets.push(request.socket);
      webSocket.on("error", () => undefined);
      webSocket.send("{}");
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As one writes it first: each event is made text, and sent, for each subscriber. */
  async stringifyAndSend(events: readonly object[]): Promise<void> {
    for (const event of events) {
      for (const webSocket of this.webSockets) webSocket.send(JSON.stringify(event));
      await others();
    }
  }

  /** As little as can be done: frames that are there already, written by the batch, each socket corked. */
  async writeCorked(frame: Buffer, count: number, perBatch: number): Promise<void> {
    for (let written = 0; written < count; written += perBatch) {
      const batch = Math.min(perBatch, count - written);
      for (const socket of this.sockets) {
        socket.cork();
        for (let position = 0; position < batch; position += 1) socket.write(frame);
        socket.uncork();
      }
      const full = this.sockets.filter(({ writableNeedDrain }) => writableNeedDrain);
      await Promise.all(full.map((socket) => once(socket, "drain")));
      await others();
    }
  }

  async close(): Promise<void> {
    for (const webSocket of this.webSockets) webSocket.terminate();
    this.#webSocketServer.close();
    this.#server.close();
    await once(this.#server, "close");
  }
}
