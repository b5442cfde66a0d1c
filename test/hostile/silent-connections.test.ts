import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, it } from "vitest";
import { TestFeed } from "../support/http-feed.ts";
import { createTestAuthority } from "../support/tls-certificates.ts";
import { until } from "../support/until.ts";

/** A connection that sends nothing, or only what is given. */
async function silent(url: string, sent = ""): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(sent);
  socket.resume();
  return socket;
}

const isOpen = (socket: Socket) => !socket.destroyed && !socket.readableEnded;

it("closes connections of one address beyond its limit, though none ever sent a request", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve({ limits: { connectionsPerAddress: 5 } });
  const sockets = await Promise.all(Array.from({ length: 60 }, () => silent(url)));
  await until("the surplus is closed", () => sockets.filter(isOpen).length <= 5 + 16);
  for (const socket of sockets) socket.destroy();
  await until(
    "there is room again",
    async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok === true,
  );
});

it("leaves room for files: connections of all together have a bound, and a place that becomes free is taken", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve({ limits: { connections: 10 } });
  const sockets = await Promise.all(Array.from({ length: 40 }, () => silent(url)));
  await until("the surplus is closed", () => sockets.filter(isOpen).length <= 10);
  const { values } = await feed.metrics.refusals.get();
  expect(values.find(({ labels }) => labels.code === "LIMIT")?.value).toBe(30);
  for (const socket of sockets) socket.destroy();
  await until(
    "there is room again",
    async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok === true,
  );
});

it("closes a connection that sends no whole head of a request in time, and no other", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve({ headersTimeoutMs: 300 });
  const stream = await silent(
    url,
    "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/x-ndjson\r\n\r\n",
  );
  const slow = [await silent(url), await silent(url, "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n")];
  await until("they are closed", () => slow.every((socket) => !isOpen(socket)));
  expect(isOpen(stream)).toBe(true);
  stream.destroy();
});

it("closes connections over TLS whose handshake or whose head of a request does not come in time, and no other", async () => {
  using authority = createTestAuthority("silent");
  await using feed = await TestFeed.open();
  const tls = authority.issue("server", "IP:127.0.0.1");
  const { url } = await feed.serve({ headersTimeoutMs: 1000, tls });
  const port = Number(new URL(url).port);
  const overTls = async (sent: string) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.write(sent);
    return socket.resume();
  };
  const head = "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/x-ndjson\r\n";
  const stream = await overTls(`${head}\r\n`);
  const slow = [await silent(url), await silent(url, "\u0016\u0003"), await overTls(""), await overTls(head)];
  // A letter now and then is no head either.
  const drip = setInterval(() => slow[3]?.write("a"), 100);
  await until("they are closed", () => slow.every((socket) => !isOpen(socket)));
  clearInterval(drip);
  expect(isOpen(stream)).toBe(true);
  stream.destroy();
});
