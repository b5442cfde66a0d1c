import { copyFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect, type PeerCertificate } from "node:tls";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { TlsFilesUnusable } from "../../src/http/access/errors.ts";
import { readFileSync } from "node:fs";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { createTestAuthority, type TestAuthority } from "../support/tls-certificates.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let authority: TestAuthority;
let files: { cert: string; key: string };
beforeAll(() => {
  authority = createTestAuthority("listener");
  files = authority.issue("first", "IP:127.0.0.1");
});
afterAll(() => authority[Symbol.dispose]());

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

function ask(url: string, client: { cert?: Buffer; key?: Buffer } = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ca: readFileSync(authority.ca), agent: false, ...client }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

/** The name in the certificate that a new connection is shown. */
function shownName(url: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const certificate: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(certificate.subject.CN));
    });
    socket.on("error", reject);
  });
}

it("serves pages and streams over TLS", async () => {
  const { url } = await feed.serve({ tls: files });
  expect(url).toMatch(/^https:/);
  expect(await ask(`${url}/v1/events`)).toBe(200);
  const client = await WebSocketClient.connect(`${url}/v1/events`, [], { ca: readFileSync(authority.ca) });
  await feed.commit(draft({ id: "over TLS" }));
  expect((await client.until(({ id }) => id === "over TLS")).at(-1)?.id).toBe("over TLS");
  await client.close();
  await expect(fetch(url.replace("https:", "http:"))).rejects.toThrow("fetch failed");
});

it("asks clients for a certificate where an authority is given", async () => {
  const { url } = await feed.serve({ tls: { ...files, clientCa: authority.ca } });
  await expect(ask(url)).rejects.toThrow(/certificate required|socket hang up|ECONNRESET/i);
  const own = authority.issue("client", "DNS:client");
  expect(await ask(url, { cert: readFileSync(own.cert), key: readFileSync(own.key) })).toBe(200);
});

it("follows a renewed certificate, and keeps the last while the new one is no good", async () => {
  const [cert, key] = [join(authority.directory, "live.pem"), join(authority.directory, "live.key")];
  copyFileSync(files.cert, cert);
  copyFileSync(files.key, key);
  const { url } = await feed.serve({ tls: { cert, key }, tlsLookEveryMs: 20 });
  expect(await shownName(url)).toBe("first");
  const stream = await WebSocketClient.connect(`${url}/v1/events`, [], { ca: readFileSync(authority.ca) });
  writeFileSync(cert, "half a certif");
  expect(await shownName(url)).toBe("first");
  const renewed = authority.issue("renewed", "IP:127.0.0.1");
  copyFileSync(renewed.key, key);
  copyFileSync(renewed.cert, cert);
  await until("the new certificate", async () => (await shownName(url)) === "renewed");
  await feed.commit(draft({ id: "still here" }));
  expect((await stream.until(({ id }) => id === "still here")).at(-1)?.id).toBe("still here");
  await stream.close();
});

it("does not start with files that make no certificate", async () => {
  const other = authority.issue("other", "DNS:other");
  for (const tls of [
    { cert: files.cert, key: other.key },
    { cert: "/nowhere.pem", key: files.key },
    { ...files, cert: files.key },
  ]) {
    await expect(async () => feed.serve({ tls })).rejects.toThrow(TlsFilesUnusable);
  }
});
