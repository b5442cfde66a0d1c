import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { AccessFeed, bearer, everyObject } from "../support/access-feed.ts";
import { ownPage, signIn } from "../support/browser-session.ts";
import { draft, SOURCE } from "../support/drafts.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const TOKEN = "static-token-of-the-operator-01";
const NARROW = "static-token-that-sees-one-team";

let access: AccessFeed;
let url: string;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([
    { name: "ops", token: TOKEN, namespaces: ["*"], resources: ["*"], management: "true" },
    { name: "team", token: NARROW, namespaces: ["qa-*"], resources: ["jobs"] },
  ]);
  ({ url } = await access.serve());
});
afterEach(() => access[Symbol.asyncDispose]());

const statusOf = async (address: string, cookie: string) =>
  (await fetch(`${address}/v1/events`, { headers: { cookie } })).status;

const sessionOf = async (address: string, headers: Record<string, string> = {}) =>
  (await fetch(`${address}/v1/session`, { headers })).json();

describe("who asks", () => {
  it("is told without a token too, so that a page knows whether to ask for one", async () => {
    const nobody = { signedIn: false, who: null, management: false, seesAll: false, namespaces: null };
    expect(await sessionOf(url)).toEqual({ auth: "token", ...nobody });
    expect(await sessionOf(url, bearer("never-heard-of-this-token"))).toEqual({ auth: "token", ...nobody });
    const { url: open } = await access.feed.serve();
    expect(await sessionOf(open)).toEqual({
      auth: "none",
      ...nobody,
      management: true,
      seesAll: true,
    });
  });

  it("is named with what they may do and see", async () => {
    await access.feed.write([], everyObject());
    expect(await sessionOf(url, bearer(TOKEN))).toEqual({
      auth: "token",
      signedIn: true,
      who: "token ops",
      management: true,
      seesAll: true,
      namespaces: null,
    });
    expect(await sessionOf(url, bearer(NARROW))).toMatchObject({
      who: "token team",
      management: false,
      seesAll: false,
      namespaces: ["qa-1"],
    });
  });
});

describe("signing in", () => {
  it("gives a cookie that stands for the token, with its rights", async () => {
    await access.feed.commit(draft({ id: "an allocation", namespace: "qa-1" }));
    const { cookie, body } = await signIn(url, NARROW);
    expect(body).toMatchObject({ signedIn: true, who: "token team" });
    expect(await sessionOf(url, { cookie })).toMatchObject({ signedIn: true, who: "token team" });
    const events = await fetch(`${url}/v1/events?cursor=earliest`, { headers: { cookie } });
    expect([events.status, await events.json()]).toEqual([200, []]);
  });

  it("works with a token of Nomad's, which may be deleted there", async () => {
    const token = access.nomadToken({ namespaces: { default: "read" } });
    const { url: quick } = await access.serve({ recheckIntervalMs: 10, keepWhileRefusedMs: 20 });
    const { cookie, body } = await signIn(quick, token);
    expect(body).toMatchObject({ signedIn: true, management: false, seesAll: false });
    const headers = { cookie };
    const client = await WebSocketClient.connect(`${quick}/v1/events`, [], { headers, origin: quick });
    access.nomad.simulator.faults.revokeToken(token);
    expect(await client.closed()).toMatchObject({ code: 4401 });
    expect(await statusOf(quick, cookie)).toBe(401);
    expect(await sessionOf(quick, headers)).toMatchObject({ signedIn: false });
  });

  it("ends with the browser, or lasts as long as it is remembered", async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const { url: timed } = await access.serve({}, { clock: { ...systemClock, now: () => nowMs } });
    const short = await signIn(timed, TOKEN);
    const long = await signIn(timed, TOKEN, { query: "?remember=30d" });
    expect(short.setCookie).toMatch(/^changefeed-[0-9a-f]{8}=[\w-]+; HttpOnly; SameSite=Strict$/);
    expect(long.setCookie).toContain("; HttpOnly; SameSite=Strict; Max-Age=2592000");
    expect((await signIn(timed, TOKEN, { query: "?remember=true" })).setCookie).toContain("Max-Age=2592000");
    nowMs += 25 * 3_600_000;
    expect([await statusOf(timed, short.cookie), await statusOf(timed, long.cookie)]).toEqual([401, 200]);
    nowMs += 30 * 86_400_000;
    expect(await statusOf(timed, long.cookie)).toBe(401);
  });

  it("says what a time to remember may be", async () => {
    const answer = await fetch(`${url}/v1/session?remember=forever`, {
      method: "POST",
      headers: bearer(TOKEN),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      {
        code: "INVALID_PARAMETER",
        field: "remember",
        allowed: ["true", "false", expect.stringContaining("1m to 90d")],
      },
    ]);
  });

  it("needs a token that is good, sent by itself, and says what to do", async () => {
    const { cookie } = await signIn(url, TOKEN);
    for (const headers of [{}, bearer("never-heard-of-this-token"), { ...ownPage(url), cookie }]) {
      const answer = await fetch(`${url}/v1/session`, { method: "POST", headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("set-cookie")).toBeNull();
      expect(await answer.json()).toMatchObject({
        code: "UNAUTHORIZED",
        hint: expect.stringMatching(/token/),
      });
    }
  });

  it("keeps the cookie to https where the browser sees that", async () => {
    const proto = { ...ownPage(url), "x-forwarded-proto": "https" };
    expect((await signIn(url, TOKEN, { headers: proto })).setCookie).toContain("; Secure");
    const origin = { "x-forwarded-host": "feed.example", origin: "https://feed.example" };
    expect((await signIn(url, TOKEN, { headers: origin })).setCookie).toContain("; Secure");
  });

  it("gives no cookie where nobody is asked who they are, and takes none amiss", async () => {
    const { url: open } = await access.feed.serve();
    const answer = await fetch(`${open}/v1/session`, { method: "POST", headers: ownPage(open) });
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(await answer.json()).toMatchObject({ auth: "none", signedIn: false });
    expect(await statusOf(open, "changefeed-00000000=nonsense")).toBe(200);
  });
});

describe("a session", () => {
  it("goes on when the server starts again, and at every other worker of the feed", async () => {
    const { cookie } = await signIn(url, TOKEN);
    await access.feed.closeServers();
    const { url: restarted } = await access.serve();
    const { url: other } = await access.serve();
    expect([await statusOf(restarted, cookie), await statusOf(other, cookie)]).toEqual([200, 200]);
  });

  it("begins with one key, also where two workers make the first at once", async () => {
    const { url: other } = await access.serve();
    const [first, second] = await Promise.all([signIn(url, TOKEN), signIn(other, TOKEN)]);
    expect([await statusOf(other, first.cookie), await statusOf(url, second.cookie)]).toEqual([200, 200]);
  });

  it("is over when the feed has another key, without a restart", async () => {
    let elapsedMs = 0;
    const clock = { ...systemClock, elapsed: () => elapsedMs };
    const { url: watched } = await access.serve({}, { clock });
    const { cookie } = await signIn(watched, TOKEN);
    await access.feed.log.documents.remove("session-key");
    const { cookie: renewed } = await signIn((await access.serve()).url, TOKEN);
    elapsedMs += 10_000;
    expect(await statusOf(watched, renewed)).toBe(200);
    expect(await statusOf(watched, cookie)).toBe(401);
  });

  it("ends where the page signs out", async () => {
    const { cookie } = await signIn(url, TOKEN);
    const headers = { ...ownPage(url), cookie };
    const out = await fetch(`${url}/v1/session`, { method: "DELETE", headers });
    expect(out.status).toBe(204);
    const [name = ""] = cookie.split("=", 1);
    expect(out.headers.get("set-cookie")).toBe(`${name}=; HttpOnly; SameSite=Strict; Max-Age=0`);
    // A cookie that is no longer good is no reason to keep it.
    const spoilt = { ...headers, cookie: `${name}=nonsense` };
    expect((await fetch(`${url}/v1/session`, { method: "DELETE", headers: spoilt })).status).toBe(204);
  });

  it("counts only where the request brings nothing else", async () => {
    const { cookie } = await signIn(url, TOKEN);
    expect(await sessionOf(url, { cookie, ...bearer(NARROW) })).toMatchObject({ who: "token team" });
    const spoilt = { cookie, ...bearer("never-heard-of-this-token") };
    expect((await fetch(`${url}/v1/events`, { headers: spoilt })).status).toBe(401);
    const ticketed = await fetch(`${url}/v1/tickets`, { method: "POST", headers: bearer(NARROW) });
    const { ticket } = (await ticketed.json()) as { ticket: string };
    const address = `${url}/v1/consumers?ticket=${ticket}`;
    expect((await fetch(address, { headers: { cookie: "changefeed-x=1" } })).status).toBe(200);
  });

  it("is nowhere to be read: not in its cookie, the answer or the log", async () => {
    const written: string[] = [];
    const destination = { write: (line: string) => void written.push(line) };
    const logger = createLogger({ level: "trace", format: "json", destination });
    const { url: logged } = await access.serve({}, { logger });
    const { cookie, body } = await signIn(logged, TOKEN);
    const sealed = cookie.split("=", 2)[1] ?? "none";
    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain(TOKEN);
    expect(JSON.stringify(body)).not.toContain(TOKEN);
    await statusOf(logged, cookie);
    await statusOf(logged, `${cookie}x`);
    await fetch(`${logged}/v1/reload`, { method: "POST", headers: { cookie } });
    const client = await WebSocketClient.connect(`${logged}/v1/events`, [], {
      headers: { cookie },
      origin: logged,
    });
    await client.close();
    logger.error({ headers: { cookie, "set-cookie": cookie } }, "somebody logs a request");
    const text = written.join("");
    expect(text).toContain("stream opened");
    expect(text).toContain("request refused");
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(sealed);
  });
});

describe("a cookie of another feed", () => {
  it("has another name, and is worth nothing under this one's", async () => {
    const { url: other } = await access.serve({}, { source: `${SOURCE}-2` });
    const [own, foreign] = [await signIn(url, TOKEN), await signIn(other, TOKEN)];
    const nameOf = ({ cookie }: { cookie: string }) => cookie.split("=", 1)[0] ?? "";
    expect(nameOf(own)).not.toBe(nameOf(foreign));
    expect(await statusOf(url, foreign.cookie)).toBe(401);
    expect(await statusOf(url, foreign.cookie.replace(nameOf(foreign), nameOf(own)))).toBe(401);
    expect(await statusOf(url, `${foreign.cookie}; ${own.cookie}`)).toBe(200);
  });
});
