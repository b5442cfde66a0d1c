import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import type { Voice } from "../../src/coordination/broadcast.ts";
import { RedisBroadcast } from "../../src/coordination/redis/redis-broadcast.ts";
import { Connection } from "../../src/feed/redis/connection.ts";
import { locationOf } from "../../src/feed/redis/location.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { TestClock } from "../support/test-clock.ts";
import { untilBy } from "../support/until.ts";

const missing = redisMissing();
/** Of the processes' own time that passes each time a test asks whether they are so far. */
const STEP_MS = 100;

let feeds = 0;

/** Processes of one feed that speak and listen to each other. */
class Feed {
  readonly name = `broadcast-${(feeds += 1)}`;
  readonly clock = new TestClock();
  readonly until = untilBy(this.clock, STEP_MS);
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #connections: Connection[] = [];
  readonly #running: Promise<unknown>[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** One process, which reaches Redis there. */
  join(url = this.#url): RedisBroadcast {
    const location = locationOf(`${url}?feed=${this.name}`);
    const connect = () => new Connection(location, { logger: silentLogger() });
    const connection = connect();
    this.#connections.push(connection);
    const { prefix } = location;
    return new RedisBroadcast({ connection, connect, prefix, logger: silentLogger(), clock: this.clock });
  }

  speak(by: RedisBroadcast, status = "status", onAsked = () => undefined): Voice {
    const voice = by.speak({ status: () => status, onAsked }, this.#stop.signal);
    this.#running.push(voice.ended);
    return voice;
  }

  /** What is told to one who listens, from when it hears. */
  listen(by: RedisBroadcast): string[] {
    const told: string[] = [];
    const listener = {
      onMessage: (message: string) => void told.push(message),
      onBreak: (reason: string) => void told.push(`break: ${reason}`),
    };
    this.#running.push(by.listen(listener, this.#stop.signal));
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const connection of this.#connections) connection.close();
    await this.clock.finish(Promise.all(this.#running));
  }
}

describe.skipIf(missing !== undefined)(`what processes say to each other${skippedBecause(missing)}`, () => {
  let redis: RedisServer;
  let client: Redis;
  let feed: Feed;
  beforeAll(async () => {
    redis = await RedisServer.start();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    feed = new Feed(redis.url);
  });
  afterEach(() => feed[Symbol.asyncDispose]());

  const hears = (told: readonly string[], message: string) =>
    feed.until(`${message} is heard`, () => told.includes(message));
  /** As many who listen, once they hear. */
  const listeners = async (count: number): Promise<string[][]> => {
    const all = Array.from({ length: count }, () => feed.listen(feed.join()));
    await feed.until("all listen", () => all.every((told) => told.includes("status")));
    return all;
  };
  const withoutStatus = (told: readonly string[]) => told.filter((message) => message !== "status");

  test("everyone who listens hears all of it in order, however much it is at once", async () => {
    const voice = feed.speak(feed.join());
    const all = await listeners(2);
    const messages = Array.from({ length: 3_000 }, (_, n) => `${n} ${"ä".repeat(n)}`);
    for (const message of messages) voice.say(message);
    for (const told of all) await hears(told, messages.at(-1) as string);
    for (const told of all) expect(withoutStatus(told)).toEqual(messages);
  });

  test("who begins to speak ends who spoke before, of whom nothing is heard from then on", async () => {
    const before = feed.speak(feed.join(), "status");
    const [told = []] = await listeners(1);
    const after = feed.speak(feed.join(), "status of another");
    await hears(told, "status of another");
    before.say("stale");
    let ending: string | undefined;
    before.ended.then(
      (end) => (ending = end),
      () => undefined,
    );
    await feed.until("the first ends", () => ending === "fenced");
    after.say("new");
    await hears(told, "new");
    expect(told).toContain("break: another process speaks now");
    expect(told).not.toContain("stale");
  });

  test("a reply that is lost is no loss: nothing is heard twice, nothing is missing", async () => {
    await using line = await TcpProxy.to(Number(new URL(redis.url).port));
    const voice = feed.speak(feed.join(`redis://127.0.0.1:${line.port}`));
    const [told = []] = await listeners(1);
    line.loseNextReply();
    voice.say("once");
    await hears(told, "once");
    voice.say("later");
    await hears(told, "later");
    expect(line.lost).toBe(1);
    expect(withoutStatus(told)).toEqual(["once", "later"]);
  });

  test("where one cannot speak, the others are told, and hear its status before anything that counts", async () => {
    await using line = await TcpProxy.to(Number(new URL(redis.url).port));
    const voice = feed.speak(feed.join(`redis://127.0.0.1:${line.port}`));
    const [told = []] = await listeners(1);
    line.cut();
    await feed.until("silence is noticed", () => told.at(-1) === "break: heard nothing for 6 s");
    line.mend();
    await feed.until("the status is heard", () => told.at(-1) === "status");
    voice.say("again");
    await hears(told, "again");
    expect(told.lastIndexOf("status")).toBeLessThan(told.indexOf("again"));
  });

  test("who cannot hear is told, whether Redis refuses or says nothing, and hears on later", async () => {
    await using line = await TcpProxy.to(Number(new URL(redis.url).port));
    const voice = feed.speak(feed.join());
    const told = feed.listen(feed.join(`redis://127.0.0.1:${line.port}`));
    await hears(told, "status");
    line.swallow();
    voice.say("not heard");
    await hears(told, "break: heard nothing for 6 s");
    line.cut();
    line.swallow(false);
    line.mend();
    await feed.until("the status is heard", () => told.at(-1) === "status");
    line.cut();
    await feed.until("the loss is noticed", () => told.at(-1)?.startsWith("break: ") === true);
    line.mend();
    await feed.until("the status is heard", () => told.at(-1) === "status");
    voice.say("heard");
    await hears(told, "heard");
  });

  test("Redis loses all it has: who speaks goes on, and is heard", async () => {
    const voice = feed.speak(feed.join());
    const [told = []] = await listeners(1);
    await client.flushall();
    await feed.until("a new turn", () => told.includes("break: who speaks begins anew"));
    voice.say("again");
    await hears(told, "again");
  });

  test("what is asked is heard by who speaks", async () => {
    let asked = 0;
    feed.speak(feed.join(), "status", () => void (asked += 1));
    await listeners(1);
    await feed.join().ask();
    await feed.until("it is heard", () => asked === 1);
  });

  test("little of it stays in Redis, and nothing for long", async () => {
    const key = `ncf:{${feed.name}}:hints`;
    const voice = feed.speak(feed.join());
    const [told = []] = await listeners(1);
    voice.say("x");
    await hears(told, "x");
    expect(await client.pttl(key)).toBeGreaterThan(0);
    expect(await client.pttl(key)).toBeLessThanOrEqual(60_000);
  });
});
