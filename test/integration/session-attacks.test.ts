import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClientOptions } from "ws";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { ownPage, signIn } from "../support/browser-session.ts";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { consoleFiles } from "../support/console-files.ts";
import { SOURCE } from "../support/drafts.ts";
import { httpProxy } from "../support/http-proxy.ts";
import { skippedBecause } from "../support/skipped.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { until } from "../support/until.ts";

const TOKEN = "static-token-of-the-operator-01";
const EVIL = "https://evil.example";

let access: AccessFeed;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([
    { name: "ops", token: TOKEN, namespaces: ["*"], resources: ["*"], management: "true" },
  ]);
});
afterEach(() => access[Symbol.asyncDispose]());

/** Of a page that may read here with a token of its own, and of one that may not. */
describe.each([[[]], [["*"]], [[EVIL]]])("a page of another origin, where %j may read,", (allowOrigins) => {
  let url: string;
  let cookie: string;
  beforeEach(async () => {
    ({ url } = await access.serve({ allowOrigins }));
    ({ cookie } = await signIn(url, TOKEN));
  });
  const expectRefusal = async (path: string, init: RequestInit) => {
    const answer = await fetch(`${url}${path}`, init);
    expect([path, answer.status]).toEqual([path, 403]);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    expect(answer.headers.get("set-cookie")).toBeNull();
    return (await answer.json()) as { code: string };
  };

  it.each([{ origin: EVIL }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }])(
    "with %j has nothing done or read by somebody's cookie",
    async (from) => {
      const headers = { cookie, ...from };
      expect(await expectRefusal("/v1/events", { headers })).toMatchObject({ code: "FORBIDDEN" });
      await expectRefusal("/v1/events?consumer=stolen", { headers });
      await expectRefusal("/v1/session", { headers });
      for (const [method, path] of [
        ["POST", "/v1/silences?rules=*&for=1h"],
        ["POST", "/v1/reload"],
        ["POST", "/v1/tickets"],
        ["DELETE", "/v1/session"],
      ] as const) {
        await expectRefusal(path, { method, headers });
        await expectRefusal(path, { method, headers: { ...headers, "x-changefeed-csrf": "1" } });
      }
      expect(await access.feed.log.consumers.list()).toEqual([]);
    },
  );

  it("cannot sign somebody in as somebody else", async () => {
    const headers = { ...bearer(TOKEN), origin: EVIL };
    await expectRefusal("/v1/session", { method: "POST", headers });
  });

  it("opens no WebSocket by somebody's cookie", async () => {
    const client = await WebSocketClient.connect(`${url}/v1/events`, ["cloudevents.json"], {
      headers: { cookie },
      origin: EVIL,
    });
    expect(await client.closed()).toEqual({ code: 4403, reason: "FORBIDDEN" });
  });

  it("is not allowed the headers that say where a request comes from", async () => {
    const asked = { origin: EVIL, "access-control-request-method": "POST" };
    const { headers } = await fetch(`${url}/v1/session`, { method: "OPTIONS", headers: asked });
    const allowed = headers.get("access-control-allow-headers") ?? "";
    expect(allowed.toLowerCase()).not.toMatch(/forwarded|cookie|sec-/);
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });
});

it("a form that says nothing of where it is from has nothing done: the header is missing", async () => {
  const { url } = await access.serve();
  const { cookie } = await signIn(url, TOKEN);
  const post = (headers: Record<string, string>) =>
    fetch(`${url}/v1/silences?rules=*&for=1h`, { method: "POST", headers: { cookie, ...headers } });
  const answer = await post({});
  expect([answer.status, await answer.json()]).toMatchObject([
    403,
    { code: "FORBIDDEN", hint: expect.stringContaining("X-Changefeed-Csrf: 1") },
  ]);
  expect((await post(ownPage(url))).status).toBe(200);
});

it("a WebSocket that does not say where it is from cannot use a cookie", async () => {
  const { url } = await access.serve();
  const { cookie } = await signIn(url, TOKEN);
  const connect = (options: ClientOptions) => WebSocketClient.connect(`${url}/v1/events`, [], options);
  await expect(connect({ headers: { cookie } })).rejects.toMatchObject({ status: 403 });
  const own = await connect({ headers: { cookie }, origin: url });
  expect((await own.next())?.type).toBe("nomad.feed.hello");
  await own.close();
});

it("a session that somebody else chose is none, and of two none is taken", async () => {
  const { url } = await access.serve();
  const { cookie } = await signIn(url, TOKEN);
  const [name = "", value = ""] = cookie.split("=", 2);
  const flipped = value.startsWith("A") ? `B${value.slice(1)}` : `A${value.slice(1)}`;
  for (const chosen of [TOKEN, "chosen-by-somebody-else", flipped, value.slice(0, 20), ""]) {
    const { status } = await fetch(`${url}/v1/events`, { headers: { cookie: `${name}=${chosen}` } });
    expect([chosen, status]).toEqual([chosen, 401]);
    // Whoever signs in gets a new one.
    const headers = { ...ownPage(url), ...bearer(TOKEN), cookie: `${name}=${chosen}` };
    const answer = await fetch(`${url}/v1/session`, { method: "POST", headers });
    expect(answer.headers.get("set-cookie")).toMatch(new RegExp(`^${name}=[\\w-]{80,};`));
  }
  const both = { cookie: `${cookie}; ${name}=chosen-by-somebody-else` };
  expect((await fetch(`${url}/v1/events`, { headers: both })).status).toBe(400);
});

describe.skipIf(CHROMIUM === undefined)(`in Chromium${skippedBecause(NO_CHROMIUM)}`, () => {
  it("the server's page signs in below a path of a proxy, and no other of the same host has its session", async () => {
    const { url } = await access.serve({ allowOrigins: ["*"] }, { console: await consoleFiles() });
    using proxy = await httpProxy(() => url, { below: "/feeds/prod", upgrades: true, saysHost: true });
    using neighbour = await httpProxy(() => url, { upgrades: true });
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${proxy.url}/`);
    const opened = `(target) => new Promise((done) => {
      target.onmessage = ({ data }) => done(JSON.parse(data).type);
      target.onerror = () => done("error");
    })`;
    const seen = await page.run(`(async () => {
      const post = { method: "POST", headers: { authorization: "Bearer ${TOKEN}", "x-changefeed-csrf": "1" } };
      const session = new URL("v1/session", location.href);
      const before = await fetch("v1/events");
      const signedIn = await fetch(session, post);
      return {
        before: before.status,
        signedIn: (await signedIn.json()).who,
        readable: document.cookie,
        fetched: (await fetch("v1/events")).status,
        about: (await (await fetch("v1/about")).json()).source,
        eventSource: await new Promise((done) => {
          const source = new EventSource("v1/events");
          source.onopen = () => done(true);
          source.onerror = () => done(false);
        }),
        webSocket: await (${opened})(new WebSocket(new URL("v1/events", location.href.replace("http", "ws")))),
      };
    })()`);
    expect(seen).toEqual({
      before: 401,
      signedIn: "token ops",
      readable: "",
      fetched: 200,
      about: SOURCE,
      eventSource: true,
      webSocket: "nomad.feed.hello",
    });
    // Another port of the host: the browser sends the cookie there too.
    await page.run(`void (location.href = "${neighbour.url}/feeds/none")`).catch(() => undefined);
    const stolen = `(async () => {
      const ask = (init) => fetch("${proxy.url}/v1/events", { credentials: "include", ...init })
        .then(({ status }) => status, () => "not read");
      return {
        read: await ask({}),
        blind: await fetch("${proxy.url}/v1/silences?rules=*&for=1h", {
          method: "POST", mode: "no-cors", credentials: "include",
        }).then(({ type }) => type, () => "not sent"),
        webSocket: await (${opened})(new WebSocket("${proxy.url.replace("http", "ws")}/v1/events")),
      };
    })()`;
    await until("the page is the neighbour's", async () => {
      const address = await page.run("location.href").catch(() => "");
      return address === `${neighbour.url}/feeds/none`;
    });
    expect(await page.run(stolen)).toEqual({
      read: "not read",
      blind: "opaque",
      webSocket: "nomad.feed.error",
    });
    const silences = await fetch(`${url}/v1/silences`, { headers: bearer(TOKEN) });
    expect(await silences.json()).toEqual({ silences: [] });
  });
});
