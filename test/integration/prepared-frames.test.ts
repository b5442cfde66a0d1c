import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { textFrame } from "../../src/publishers/websocket/prepared-frames.ts";
import { WebSocketSink } from "../../src/publishers/websocket/websocket-sink.ts";
import { until } from "../support/until.ts";

interface Served {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
}

const frameOf = (json: string) => ({ json, cursor: undefined });
/** Compresses badly, so that it takes its time and stays large. */
const LARGE = Array.from({ length: 200_000 }, (_, n) => Math.imul(n, 2_654_435_761) % 997).join(" ");

let server: Server;
let served: Promise<Served>;
let webSocketServer: WebSocketServer | undefined;
beforeEach(() => {
  server = createServer();
});
afterEach(() => {
  for (const client of webSocketServer?.clients ?? []) client.terminate();
  webSocketServer?.close();
  server.close();
});

/** Answers the port. */
async function serve(perMessageDeflate: PerMessageDeflateOptions | false = false): Promise<number> {
  const accepting = new WebSocketServer({ server, perMessageDeflate });
  webSocketServer = accepting;
  served = new Promise((resolve) => {
    accepting.once("connection", (webSocket, { socket }) => resolve({ webSocket, socket }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The bytes that come after the handshake on a bare socket, up to now. */
async function rawClient(port: number): Promise<() => Buffer> {
  const socket = connect(port, "127.0.0.1");
  let all = Buffer.alloc(0);
  socket.on("data", (bytes) => (all = Buffer.concat([all, bytes])));
  socket.on("error", () => undefined);
  socket.write(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await until("the handshake", () => all.includes("\r\n\r\n"));
  return () => all.subarray(all.indexOf("\r\n\r\n") + 4);
}

describe("a frame made here", () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    "has the bytes that ws sends, for a text of %i bytes",
    async (length) => {
      const received = await rawClient(await serve());
      const { webSocket } = await served;
      const json = "é".repeat(length >> 1) + "x".repeat(length & 1);
      webSocket.send(json);
      const expected = textFrame(frameOf(json));
      await until("all of it", () => received().length >= expected.length);
      expect(received().equals(expected)).toBe(true);
    },
  );
});

describe("frames written past ws", () => {
  async function withClient(deflate: PerMessageDeflateOptions | false) {
    const port = await serve(deflate);
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: deflate !== false });
    const messages: string[] = [];
    client.on("message", (data: Buffer) => messages.push(data.toString()));
    const { webSocket, socket } = await served;
    await until("the connection", () => client.readyState === client.OPEN);
    return { client, messages, webSocket, sink: new WebSocketSink(webSocket, socket) };
  }

  it("come in order with messages, pings and the end, however large", async () => {
    const { client, messages, webSocket, sink } = await withClient(false);
    let pings = 0;
    client.on("ping", () => (pings += 1));
    sink.write([frameOf(`1 ${LARGE}`)]);
    sink.writeEncoded([sink.encode(frameOf(`2 ${LARGE}`)), sink.encode(frameOf("3"))]);
    webSocket.ping();
    sink.writeEncoded([sink.encode(frameOf("4"))]);
    sink.write([frameOf("5")]);
    sink.end(4408, "TOO_SLOW");
    sink.writeEncoded([sink.encode(frameOf("after the end"))]);
    const [code, reason] = (await once(client, "close")) as [number, Buffer];
    expect(messages).toEqual([`1 ${LARGE}`, `2 ${LARGE}`, "3", "4", "5"]);
    expect({ pings, code, reason: reason.toString() }).toEqual({ pings: 1, code: 4408, reason: "TOO_SLOW" });
  });

  it("wait for a message that ws still compresses, and refuse to overtake it", async () => {
    const { client, messages, sink } = await withClient({ threshold: 0 });
    sink.write([frameOf(LARGE), frameOf("second")]);
    expect(sink.isClear).toBe(false);
    expect(() => sink.writeEncoded([sink.encode(frameOf("third"))])).toThrow("would overtake");
    await new Promise<void>((resolve) => sink.whenClear(resolve));
    expect(sink.isClear).toBe(true);
    sink.writeEncoded([sink.encode(frameOf("third"))]);
    await until("all messages", () => messages.length === 3);
    expect(messages).toEqual([LARGE, "second", "third"]);
    client.terminate();
  });

  it("are never said to be taken while the other side does not read", async () => {
    const { client, messages, sink } = await withClient(false);
    client.pause();
    const chunk = sink.encode(frameOf(LARGE));
    let written = 0;
    for (; sink.isClear && written < 200; written += 1) sink.writeEncoded([chunk]);
    expect(sink.isClear).toBe(false);
    client.resume();
    await new Promise<void>((resolve) => sink.whenClear(resolve));
    await until("all messages", () => messages.length === written);
    client.terminate();
  });

  it("are dropped once the client is gone", async () => {
    const { client, webSocket, sink } = await withClient(false);
    client.terminate();
    await once(webSocket, "close");
    sink.writeEncoded([sink.encode(frameOf("nobody there"))]);
    expect(sink.isClear).toBe(true);
  });
});
