import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { NomadTokens, type AskNomad } from "../../src/http/access/nomad-tokens.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { bearer } from "../support/access-feed.ts";
import { Guessing } from "../support/guesses.ts";
import { TestFeed } from "../support/http-feed.ts";
import { LoopbackClient } from "../support/many-addresses.ts";
import { until } from "../support/until.ts";

let feed: TestFeed;
afterEach(() => feed[Symbol.asyncDispose]());

/** A feed whose Nomad, 30 ms away, knows the tokens that are `good`. */
async function serve(): Promise<{ url: string; good: Set<string>; asked: () => number }> {
  feed = await TestFeed.open();
  const good = new Set<string>();
  let asked = 0;
  const ask: AskNomad = async (token = "") => {
    asked += 1;
    await delay(30);
    const known = { kind: "known", name: token, rights: ALL_RIGHTS, expiresAtMs: undefined } as const;
    return good.has(token) ? known : { kind: "unknown" };
  };
  const authenticators = [
    new NomadTokens(ask, { logger: silentLogger(), clock: systemClock, openWithoutAcls: false }),
  ];
  const { url } = await feed.serve({ recheckIntervalMs: 50, keepWhileRefusedMs: 100 }, { authenticators });
  return { url, good, asked: () => asked };
}

test("made-up tokens of four addresses keep out neither new tokens of another nor known ones", async () => {
  const { url, good, asked } = await serve();
  using client = new LoopbackClient("127.0.0.2");
  const known = randomUUID();
  good.add(known);
  expect(await client.ask(`${url}/v1/events`, bearer(known))).toBe(200);
  await using guessing = new Guessing(url, { addresses: 4, atOnce: 60 });
  await until("some were refused their turn", () => (guessing.statuses.get(429) ?? 0) > 20);
  for (let round = 0; round < 10; round += 1) {
    const token = randomUUID();
    good.add(token);
    // With 240 in line before it and 30 ms for each four, it would wait for two seconds.
    const before = asked();
    expect(await client.ask(`${url}/v1/events`, bearer(token))).toBe(200);
    expect(asked() - before).toBeLessThan(60);
    expect(await client.ask(`${url}/v1/events`, bearer(known))).toBe(200);
  }
});

test("the same unknown token is asked about once", async () => {
  const { url, asked } = await serve();
  using client = new LoopbackClient("127.0.0.2");
  const unknown = randomUUID();
  for (let round = 0; round < 5; round += 1) {
    expect(await client.ask(`${url}/v1/events`, bearer(unknown))).toBe(401);
    expect(await client.ask(`${url}/v1/events`)).toBe(401);
  }
  expect(asked()).toBe(2);
});
