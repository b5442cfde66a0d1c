import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";

const HOUR_MS = 3_600_000;
const TOKEN = "a-static-token-of-twenty-or-more";

let access: AccessFeed;
/** The clock that somebody sets back, and the one that nobody sets. */
let nowMs: number;
let elapsedMs: number;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([{ name: "s", token: TOKEN, namespaces: ["*"], resources: ["*"] }]);
  nowMs = Date.now();
  elapsedMs = 1000;
});
afterEach(() => access[Symbol.asyncDispose]());

const clocks = { clock: { ...systemClock, now: () => nowMs, elapsed: () => elapsedMs } };
const pass = (ms: number): void => {
  nowMs += ms;
  elapsedMs += ms;
};
const askedBy = async (url: string, token = TOKEN) =>
  (await fetch(`${url}/v1/events`, { headers: bearer(token) })).status;

describe("after the wall clock was set back by an hour", () => {
  it("nobody who asked before is kept out", async () => {
    const { url } = await access.serve({ limits: { requestsPerSecond: 2 } }, clocks);
    const statuses: number[] = [];
    for (let count = 0; count < 5; count += 1) statuses.push(await askedBy(url));
    expect(statuses).toEqual([200, 200, 200, 200, 429]);
    nowMs -= HOUR_MS;
    pass(1000);
    expect(await askedBy(url)).toBe(200);
  });

  it("a token that was taken out of the file is refused after the same time as ever", async () => {
    const { url } = await access.serve({ recheckIntervalMs: 30_000 }, clocks);
    expect(await askedBy(url)).toBe(200);
    nowMs -= HOUR_MS;
    access.writeTokens([]);
    pass(29_000);
    expect(await askedBy(url)).toBe(200);
    pass(1000);
    expect(await askedBy(url)).toBe(401);
  });

  it("a ticket lives no longer than half a minute", async () => {
    const { url } = await access.serve({}, clocks);
    const response = await fetch(`${url}/v1/tickets`, { method: "POST", headers: bearer(TOKEN) });
    const { ticket, expiresAt } = (await response.json()) as { ticket: string; expiresAt: string };
    expect(Date.parse(expiresAt)).toBe(nowMs + 30_000);
    nowMs -= HOUR_MS;
    pass(30_001);
    expect((await fetch(`${url}/v1/events?ticket=${ticket}`)).status).toBe(401);
  });

  it("the last decision counts no longer while Nomad is away", async () => {
    const options = { recheckIntervalMs: 30_000, keepWhileAwayMs: 60_000 };
    const { url } = await access.serve(options, clocks);
    const token = access.nomadToken({ namespaces: { default: "read" } });
    expect(await askedBy(url, token)).toBe(200);
    access.nomad.simulator.faults.add({ kind: "500", resource: "acl" });
    nowMs -= HOUR_MS;
    pass(59_000);
    expect(await askedBy(url, token)).toBe(200);
    pass(5001);
    expect(await askedBy(url, token)).toBe(503);
  });

  it("a known token ends when its time is over, not an hour later", async () => {
    const { url } = await access.serve({ recheckIntervalMs: HOUR_MS }, clocks);
    const token = access.nomadToken({ namespaces: { default: "read" } }, nowMs + 60_000);
    expect(await askedBy(url, token)).toBe(200);
    nowMs -= HOUR_MS;
    access.nomad.simulator.faults.revokeToken(token);
    pass(59_000);
    expect(await askedBy(url, token)).toBe(200);
    pass(1001);
    expect(await askedBy(url, token)).toBe(401);
  });
});
