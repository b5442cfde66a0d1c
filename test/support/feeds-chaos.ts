import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import type { FeedLocation } from "../../src/schemas/value-types.ts";
import { startBridgeProcess } from "./bridge-process.ts";
import type { SettledLog } from "./chaos-cluster.ts";
import { startNomads, type ChaosFeed, type ChaosNomad } from "./chaos-nomads.ts";
import { ChaosSubscriber, SUBSCRIBER_FORMATS } from "./chaos-subscriber.ts";
import { CHAOS_FLAGS } from "./chaos-subject.ts";
import { Deadline } from "./deadline.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import type { ReceivedVerdict } from "./received-events.ts";
import { RedisServer } from "./redis-server.ts";
import { RestartedBridge } from "./restarted-bridge.ts";
import { until } from "./until.ts";

export interface FeedsChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** How many; from three on, the last two are regions of one Nomad. */
  readonly feeds: number;
  readonly logs: "sqlite" | "redis";
  /** In all clusters together. */
  readonly allocations: number;
  readonly changesPerSecond: number;
  readonly giveUpAfterSeconds: number;
  readonly say: (line: string) => void;
}

/** What is wrong of one feed, in its log or at its subscribers, or of the stream over all; a line each. */
export interface FeedVerdict {
  readonly events: number;
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly outOfOrder: readonly string[];
}

export interface FeedsChaosReport {
  readonly changes: number;
  /** Of the process. */
  readonly restarts: number;
  /** Times that a Nomad was killed. */
  readonly outages: number;
  readonly faults: number;
  /** Connections of all subscribers. */
  readonly connections: number;
  /** By name; `events` are those of its log. */
  readonly feeds: ReadonlyMap<string, FeedVerdict>;
  /** Of the subscribers of all feeds at once; `events` are those that came to them. */
  readonly merged: FeedVerdict;
}

const CATCH_UP_WITHIN_MS = 120_000;

/**
 * One process with several feeds, each of a cluster that churns by seed and lies: Nomads are killed, and so is the
 * process, while subscribers of each feed and of all of them go on at their cursors. In the end each log is held to its
 * cluster, and what each subscriber got to the logs.
 */
export async function runFeedsChaos(options: FeedsChaosOptions): Promise<FeedsChaosReport> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "ncf-feeds-chaos-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const random = createRandom(options.seed * 15_485_863);
  const nomads = await startNomads({ ...options, random });
  for (const nomad of nomads) parts.use(nomad);
  const redis =
    options.logs === "redis" ? parts.use(await RedisServer.start("--appendonly", "yes")) : undefined;
  const placeOf = ({ name }: ChaosFeed): FeedLocation =>
    redis === undefined
      ? { kind: "sqlite", path: join(directory, `${name}.db`) }
      : { kind: "redis", url: `${redis.url}?feed=${name}` };
  const file = join(directory, "feeds.yaml");
  await writeFile(file, configOf(nomads, placeOf));
  const bridge = new RestartedBridge(() => startBridgeProcess({ flags: ["--config", file] }));
  parts.defer(() => bridge.close());
  return await new FeedsChaos(options, { random, nomads, bridge, placeOf }).run();
}

interface Parts {
  readonly random: Random;
  readonly nomads: readonly ChaosNomad[];
  readonly bridge: RestartedBridge;
  readonly placeOf: (feed: ChaosFeed) => FeedLocation;
}

class FeedsChaos {
  readonly #options: FeedsChaosOptions;
  readonly #parts: Parts;
  readonly #feeds: readonly ChaosFeed[];
  readonly #subscribers: readonly ChaosSubscriber[];
  readonly #deadline: Deadline;
  readonly #beginnings = new Set<Promise<void>>();
  #outages = 0;

  constructor(options: FeedsChaosOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#deadline = new Deadline(options.giveUpAfterSeconds * 1000);
    this.#feeds = parts.nomads.flatMap(({ feeds }) => feeds);
    const { random, bridge } = parts;
    const where = () => bridge.servesAt;
    this.#subscribers = [
      ...SUBSCRIBER_FORMATS.map((format) => new ChaosSubscriber({ format, where, random })),
      ...this.#feeds.flatMap(({ name: feed }, at) =>
        [0, 1].map((other) => {
          const format = SUBSCRIBER_FORMATS[(2 * at + other) % SUBSCRIBER_FORMATS.length] ?? "sse";
          return new ChaosSubscriber({ format, feed, where, random });
        }),
      ),
    ];
  }

  async run(): Promise<FeedsChaosReport> {
    const stop = new AbortController();
    await this.#deadline.waitFor("the feeds have started", this.#parts.bridge.start());
    const following = this.#subscribers.map((subscriber) => subscriber.run(stop.signal));
    try {
      await this.#deadline.waitFor("the feeds are harmed", this.#harmAll());
      const logs = await this.#deadline.waitFor("the feeds catch up", this.#settled());
      await this.#everythingArrives(new Map([...logs].map(([name, { events }]) => [name, events])));
      return this.#report(logs);
    } finally {
      stop.abort();
      await Promise.all(following);
    }
  }

  async #harmAll(): Promise<void> {
    const { seconds, changesPerSecond } = this.#options;
    const { random } = this.#parts;
    for (const { cluster } of this.#feeds)
      cluster.simulator.start({ changesPerSecond: changesPerSecond / this.#feeds.length });
    for (const endAt = Date.now() + seconds * 1000; Date.now() < endAt;) {
      await this.#somethingHappens();
      await delay(random.between(50, 400));
    }
    for (const { cluster } of this.#feeds) cluster.calm();
    this.#options.say("all calm: waiting for the feeds to catch up");
    await Promise.all(this.#beginnings);
  }

  async #somethingHappens(): Promise<void> {
    const { random, bridge, nomads } = this.#parts;
    const dice = random.between(0, 99);
    if (dice < 8) this.#options.say(await bridge.harm(random));
    else if (dice < 14) this.#killNomad(random.pick(nomads));
    else await random.pick(this.#feeds).cluster.somethingHappens();
  }

  #killNomad(nomad: ChaosNomad): void {
    if (nomad.isAway) return;
    const ms = this.#parts.random.between(200, 4_000);
    this.#options.say(`the Nomad of ${nomad.name} is killed, and away for ${ms} ms`);
    this.#outages += 1;
    nomad.kill();
    const back = delay(ms).then(() => nomad.begin());
    this.#beginnings.add(back);
    void back.then(() => this.#beginnings.delete(back));
  }

  async #settled(): Promise<ReadonlyMap<string, SettledLog>> {
    const settled = this.#feeds.map(async (feed) => {
      const log = await feed.cluster.settled(() => readLog(this.#parts.placeOf(feed)));
      return [feed.name, log] as const;
    });
    return new Map(await Promise.all(settled));
  }

  /** What does not come is found missing afterwards. */
  async #everythingArrives(logs: ReadonlyMap<string, readonly SeenEvent[]>): Promise<void> {
    const withinMs = Math.min(CATCH_UP_WITHIN_MS, this.#deadline.leftMs);
    for (const { received, feeds, name } of this.#subscribers.map((one) => this.#with(one, logs)))
      await until(`all has come to ${name}`, () => received.hasAll(feeds), withinMs).catch((error: unknown) =>
        this.#options.say(String(error)),
      );
  }

  /** The subscriber, and the logs of what it subscribes to. */
  #with<Log>({ name, received, feed }: ChaosSubscriber, logs: ReadonlyMap<string, Log>) {
    const feeds = feed === undefined ? logs : new Map([...logs].filter(([other]) => other === feed));
    return { name, received, feeds };
  }

  #report(logs: ReadonlyMap<string, SettledLog>): FeedsChaosReport {
    const events = new Map([...logs].map(([name, log]) => [name, log.events]));
    const verdictsOf = (feed: string | undefined): ReceivedVerdict[] =>
      this.#subscribers
        .filter((one) => one.feed === feed)
        .map((one) => this.#with(one, events))
        .map(({ received, feeds }) => received.verdict(feeds));
    const feeds = [...logs].map(([name, { verdict }]): [string, FeedVerdict] => [
      name,
      { ...together([verdict, ...verdictsOf(name)]), events: verdict.events },
    ]);
    const merged = verdictsOf(undefined);
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
    return {
      changes: sum(this.#feeds.map(({ cluster }) => cluster.changes)),
      restarts: this.#parts.bridge.restarts,
      outages: this.#outages,
      faults: sum(this.#feeds.map(({ cluster }) => cluster.faults)),
      connections: sum(this.#subscribers.map(({ connections }) => connections)),
      feeds: new Map(feeds),
      merged: { ...together(merged), events: sum(merged.map(({ delivered }) => delivered)) },
    };
  }
}

function together(verdicts: readonly Omit<FeedVerdict, "events">[]): Omit<FeedVerdict, "events"> {
  return {
    lost: verdicts.flatMap(({ lost }) => lost),
    duplicated: verdicts.flatMap(({ duplicated }) => duplicated),
    outOfOrder: verdicts.flatMap(({ outOfOrder }) => outOfOrder),
  };
}

function configOf(nomads: readonly ChaosNomad[], placeOf: Parts["placeOf"]): string {
  const options = Object.fromEntries(
    Array.from({ length: CHAOS_FLAGS.length / 2 }, (_, at) => [
      CHAOS_FLAGS[2 * at]?.slice(2) ?? "",
      CHAOS_FLAGS[2 * at + 1],
    ]),
  );
  const feeds = nomads.flatMap(({ url, feeds: ours }) =>
    ours.map((feed) => {
      const place = placeOf(feed);
      return {
        name: feed.name,
        ...options,
        "full-every": "10s",
        "nomad-addr": url,
        ...(feed.region !== undefined && { "nomad-region": feed.region }),
        feed: place.kind === "redis" ? place.url : `sqlite:${place.path}`,
      };
    }),
  );
  // JSON is YAML.
  return JSON.stringify({ feeds }, null, 2);
}
