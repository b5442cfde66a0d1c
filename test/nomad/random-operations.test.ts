import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FeedLocation } from "../../src/schemas/value-types.ts";
import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog, settledVerdict } from "../support/feed-check.ts";
import { findNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";
import { NomadChurn } from "../support/nomad-churn.ts";
import { nomadTruth } from "../support/nomad-truth.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { findRedis } from "../support/redis-server.ts";

/** NCF_CHURN_SECONDS for longer runs, NCF_CHURN_SEED for another history, NCF_CHURN_SAY=1 to watch it. */
const { NCF_CHURN_SECONDS = "40", NCF_CHURN_SEED = "1", NCF_CHURN_SAY = "" } = process.env;
const SECONDS = Number(NCF_CHURN_SECONDS);
const SETTLE_WITHIN_MS = 120_000;
const FLAGS = ["--baseline", "events", "--max-event-bytes", "10MiB", "--wait", "5s"];

const found = await findNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
if (typeof found === "string") process.stderr.write(`${found}\n`);
const redis = typeof found === "string" ? found : await findRedis();

const say = (line: string): void => {
  if (NCF_CHURN_SAY !== "") process.stderr.write(`${line}\n`);
};

/** One process that watches, killed and started again and again. */
class KilledWatcher {
  readonly #start: () => BridgeProcess;
  readonly #random: Random;
  readonly #chance: number;
  #process: Promise<BridgeProcess>;
  kills = 0;

  constructor(start: () => BridgeProcess, random: Random, chance: number) {
    this.#start = start;
    this.#chance = chance;
    this.#random = random;
    this.#process = Promise.resolve(start());
  }

  async maybeKill(): Promise<void> {
    if (!this.#random.chance(this.#chance)) return;
    await (await this.#process).kill();
    this.kills += 1;
    say("the watcher was killed");
    // What comes next happens unseen.
    this.#process = delay(this.#random.between(0, 3_000)).then(() => this.#start());
  }

  async ready(): Promise<void> {
    await (await this.#process).ready();
  }

  async end(): Promise<void> {
    await (await this.#process).kill();
  }

  async log(): Promise<string> {
    return (await this.#process).log();
  }
}

describe.skipIf(typeof found === "string")(`random operations on a real Nomad agent (${origin})`, () => {
  let agent: NomadAgent;
  let directory: string;

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    directory = await mkdtemp(join(tmpdir(), "ncf-churn-"));
  });

  afterAll(async () => {
    if (typeof found === "string") return;
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
    if (typeof redis !== "string") await redis[Symbol.asyncDispose]();
  });

  const feeds: [
    string,
    boolean,
    (reading: string) => { feed: string; log: FeedLocation; flags: string[] },
  ][] = [
    [
      "a bridge on a file",
      false,
      (reading) => {
        const path = join(directory, `${reading}.db`);
        return { feed: `sqlite:${path}`, log: { kind: "sqlite", path }, flags: [] };
      },
    ],
    [
      "the only worker on Redis",
      typeof redis === "string",
      (reading) => {
        const url = `${typeof redis === "string" ? "" : redis.url}?feed=churn${process.pid}${reading}`;
        return {
          feed: url,
          log: { kind: "redis", url },
          flags: ["--workers", "redis", "--worker-timeout", "3s"],
        };
      },
    ],
  ];
  const runs = ["lists", "hinted"].flatMap((reading) => feeds.map((feed) => [reading, ...feed] as const));

  for (const [position, [reading, name, skipped, place]] of runs.entries()) {
    it.skipIf(skipped)(
      `reach a feed of ${name}, read by ${reading} and killed meanwhile, whole and once, without a resync`,
      { timeout: SECONDS * 1000 + SETTLE_WITHIN_MS + 120_000 },
      async () => {
        const { feed, log, flags } = place(reading);
        const random = createRandom(Number(NCF_CHURN_SEED) * 7919 + position);
        const start = (): BridgeProcess =>
          startBridgeProcess({
            nomadAddr: agent.address,
            feed,
            flags: [...FLAGS, "--reading", reading, ...flags],
          });
        const churn = new NomadChurn(new NomadWriter(agent.address), random, `ncf${process.pid}-${position}`);
        // After each start all lists are read: what hints miss is missed between.
        const watcher = new KilledWatcher(start, random, reading === "hinted" ? 0.01 : 0.04);
        try {
          await watcher.ready();
          const endAt = Date.now() + SECONDS * 1000;
          while (Date.now() < endAt) {
            say(await churn.next());
            await watcher.maybeKill();
            await delay(random.between(0, 200));
          }
          say(`${churn.done} done, ${churn.refused} refused, ${watcher.kills} kills; catching up`);
          const check = async () => checkLog(await readLog(log), await nomadTruth(agent.address));
          const verdict = await settledVerdict(check, SETTLE_WITHIN_MS);
          const events = await readLog(log);
          const resyncs = events.filter((event) => event.type === "nomad.feed.resync");
          expect({ ...verdict, resyncs: resyncs.map((event) => event.data["reason"]) }).toEqual({
            events: verdict.events,
            lost: [],
            duplicated: [],
            outOfOrder: [],
            resyncs: [],
          });
          expect(churn.done).toBeGreaterThan(churn.refused);
          expect(events.some((event) => event.via === "hint")).toBe(reading === "hinted");
        } catch (error) {
          say((await watcher.log()).split("\n").slice(-40).join("\n"));
          throw error;
        } finally {
          await watcher.end();
          await churn.end();
        }
      },
    );
  }
});
