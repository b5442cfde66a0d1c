import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { NomadTokens, type AskNomad } from "../src/http/access/nomad-tokens.ts";
import { ALL_RIGHTS } from "../src/schemas/rights.ts";
import { systemClock } from "../src/shared/clock.ts";
import { silentLogger } from "../src/telemetry/logger.ts";
import { Guessing } from "../test/support/guesses.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { LoopbackClient } from "../test/support/many-addresses.ts";
import { median, type BenchRow } from "./harness.ts";

const NOMAD_MS = 30;
const ROUNDS = 40;

const rows: readonly BenchRow[] = [
  {
    name: "hostile-auth",
    unit: "ms until a new token is let in, the median of 40, while four addresses send made-up ones, Nomad 30 ms away",
    goal: "at most 500",
    against: "the same without the attack",
    run: measure,
  },
];

export default rows;

async function measure(): Promise<{ value: number; against: number }> {
  await using feed = await TestFeed.open();
  const good = new Set<string>();
  const ask: AskNomad = async (token = "") => {
    await delay(NOMAD_MS);
    const known = { kind: "known", name: token, rights: ALL_RIGHTS, expiresAtMs: undefined } as const;
    return good.has(token) ? known : { kind: "unknown" };
  };
  const authenticators = [
    new NomadTokens(ask, { logger: silentLogger(), clock: systemClock, openWithoutAcls: false }),
  ];
  const { url } = await feed.serve({ limits: { requestsPerSecond: 200 } }, { authenticators });
  using client = new LoopbackClient("127.0.0.2");
  const medianMs = async (): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = randomUUID();
      good.add(token);
      const begin = performance.now();
      const status = await client.ask(`${url}/v1/events`, { "x-nomad-token": token });
      if (status !== 200) throw new Error(`a good token was answered ${status}`);
      times.push(performance.now() - begin);
    }
    return median(times);
  };
  await medianMs();
  const against = await medianMs();
  await using guessing = new Guessing(url, { addresses: 4, atOnce: 100 });
  await delay(500);
  const value = await medianMs();
  if (!guessing.statuses.has(401)) throw new Error("the attack did not reach the feed");
  return { value, against };
}
