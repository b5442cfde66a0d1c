import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import type { Claim, Commit, FeedLog, ConsistentRead } from "../../src/feed/log.ts";
import { objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { nextPage } from "../support/next-page.ts";
import { openTestLog, openTestLogToRead } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

const JOBS = { resource: "jobs", namespace: "default" } as const;
const NODES = { resource: "nodes", namespace: "-" } as const;
const missing = redisMissing();

/** More than is given up at a time, by far. */
const MANY = 1000;

let server: RedisServer;
let client: Redis;
let url: string;
let prefix: string;
let feeds = 0;

/** Commit number `number` of the claim's scope, of one job unless told otherwise. */
function change(
  claim: Claim,
  number: number,
  objects: Record<string, string | null> = { web: String(number) },
) {
  const changes = Object.entries(objects).map(([key, rev]) => objectChange({ ...claim.scope, key }, rev));
  const commit: Commit = {
    scope: claim.scope,
    fence: claim.fence,
    expectedRev: claim.rev + number - 1,
    commitId: `${claim.fence}.${number}`,
    events: changes.map(({ event }) => event),
    state: changes.map(({ state }) => state),
  };
  return commit;
}

async function objectsOf(read: ConsistentRead): Promise<string[]> {
  const batches = await Array.fromAsync(read.entries());
  return batches.flat().map(({ ref, rev }) => `${ref.key}@${rev}`);
}

describe.skipIf(missing !== undefined)(`Redis whose keys others change${skippedBecause(missing)}`, () => {
  beforeAll(async () => {
    server = await RedisServer.start();
    client = server.client();
  });
  afterAll(async () => {
    client.disconnect();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    const feed = `damage${(feeds += 1)}`;
    url = `${server.url}?feed=${feed}`;
    prefix = `ncf:{${feed}}:`;
  });

  async function written(events: number): Promise<{ log: FeedLog; claim: Claim }> {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    for (let number = 1; number <= events; number += 1) await log.commit(change(claim, number));
    return { log, claim };
  }

  test("the log is gone: never an empty answer, and a new epoch that begins behind what is lost", async () => {
    const { log } = await written(3);
    const { epoch } = await log.head();
    await client.del(`${prefix}log`);
    await expect(log.read({ epoch, sequence: 0 }, { limit: 10 })).rejects.toMatchObject({
      code: "EVENTS_MISSING",
      behind: { epoch, sequence: 3 },
    });
    const head = await log.head();
    expect(head.epoch).not.toBe(epoch);
    expect(head).toMatchObject({ floor: 3, sequence: 4 });
    const entries = await log.read({ epoch: head.epoch, sequence: head.floor }, { limit: 10 });
    expect(entries.map(({ type }) => type)).toEqual(["nomad.feed.epoch"]);
    await log[Symbol.asyncDispose]();
  });

  test("entries are gone from the middle: pages and streams say so, and go on behind them", async () => {
    const { log } = await written(6);
    const { epoch } = await log.head();
    const [, , third, fourth] = await client.xrange(`${prefix}log`, "-", "+");
    await client.xdel(`${prefix}log`, third?.[0] ?? "", fourth?.[0] ?? "");
    await using feed = await TestFeed.open({ log });
    const { url: at } = await feed.serve();
    const before = await fetch(`${at}/v1/events?cursor=earliest`);
    expect(before.headers.get("x-changefeed-gap")).toBeNull();
    expect(await before.json()).toHaveLength(2);
    const behind = await fetch(`${at}${nextPage(before)}`);
    expect(behind.headers.get("x-changefeed-gap")).toBe("true");
    expect(await behind.json()).toHaveLength(2);
    const above = await fetch(`${at}/v1/events?order=newest-first&types=jobs`);
    expect(above.headers.get("x-changefeed-gap")).toBeNull();
    expect(await above.json()).toMatchObject([{ cursor: `${epoch}-6` }, { cursor: `${epoch}-5` }]);
    const below = await fetch(`${at}${nextPage(above)}`);
    expect(below.headers.get("x-changefeed-gap")).toBe("true");
    expect(await below.json()).toMatchObject([{ cursor: `${epoch}-2` }, { cursor: `${epoch}-1` }]);
    expect(nextPage(below)).toBeUndefined();
    const ndjson = { headers: { accept: "application/x-ndjson" } };
    const stream = await fetch(`${at}/v1/events?cursor=earliest&limit=4`, ndjson);
    const frames = (await stream.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Frame);
    expect(frames.map(({ type, sequence }) => sequence ?? type).slice(1, -1)).toEqual([
      "0000000000000001",
      "0000000000000002",
      "nomad.feed.gap",
      "0000000000000005",
      "0000000000000006",
    ]);
    expect(frames[3]?.data).toEqual({
      reason: "missing",
      wanted: `${epoch}-2`,
      cursor: `${epoch}-4`,
      missed: 2,
    });
  });

  test("the newest entry is deleted: that is no loss of the log's tail", async () => {
    const { log, claim } = await written(3);
    const { epoch } = await log.head();
    const [newest] = await client.xrevrange(`${prefix}log`, "+", "-", "COUNT", 1);
    await client.xdel(`${prefix}log`, newest?.[0] ?? "");
    expect(await log.head()).toMatchObject({ epoch, sequence: 3 });
    expect(await log.commit(change(claim, 4))).toMatchObject({ status: "committed", first: 4 });
    expect((await log.head()).epoch).toBe(epoch);
    expect(await log.trim({ maxEvents: 1 })).toMatchObject({ floor: 3 });
    await log[Symbol.asyncDispose]();
  });

  test("a state hash is gone: no state is shorter in silence, and its scope writes it anew", async () => {
    const { log, claim } = await written(1);
    await client.del(`${prefix}state:jobs:default`);
    await expect(log.consistentRead()).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining("jobs:default"),
    });
    await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "CONFLICT" });
    const again = await log.claim(JOBS, "me");
    await expect(log.consistentRead()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    const checkpoint = { index: "9", nomadEpoch: 0, count: 1, observedAt: "2026-08-22T10:15:30Z" };
    await log.commit({ ...change(again, 1, { web: "5" }), checkpoint });
    await using read = await log.consistentRead();
    expect(await objectsOf(read)).toEqual(["web@5"]);
    await log[Symbol.asyncDispose]();
  });

  test("what another program wrote into the keys is named, never read as something else", async () => {
    const { log } = await written(2);
    const reader = await openTestLogToRead(url);
    const { epoch } = await log.head();
    await log.consumers.put("pager", { epoch, sequence: 1 });
    const damaged = (message: RegExp) => ({
      code: "LOG_UNUSABLE",
      message: expect.stringMatching(message) as string,
    });

    await client.hset(`${prefix}consumer:pager`, "sequence", "soon");
    await expect(log.consumers.list()).rejects.toMatchObject(
      damaged(/sequence of ncf:\S+consumer:pager should be an integer and is "soon"/),
    );
    await client.hset(`${prefix}scope:jobs:default`, "checkpoint", "{");
    await expect(log.scopes()).rejects.toMatchObject(
      damaged(/checkpoint of ncf:\S+scope:jobs:default should be JSON and is "{"/),
    );
    await expect(log.claim(JOBS, "me")).rejects.toMatchObject(damaged(/checkpoint of scope:jobs:default/));
    await client.hset(`${prefix}scope:jobs:default`, "checkpoint", `{"index":7}`);
    await expect(log.scopes()).rejects.toMatchObject(
      damaged(/checkpoint .* should be what this version writes/),
    );

    await client.xadd(`${prefix}log`, "3-0", "hello", "world");
    await client.hset(`${prefix}meta`, "sequence", "3");
    await expect(reader.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject(
      damaged(/entry 3-0 of ncf:\S+log should be 8 fields and is \["hello","world"\]/),
    );
    await client.hset(`${prefix}meta`, "sequence", "many", "bytes", "");
    await expect(reader.head()).rejects.toMatchObject(
      damaged(/sequence of ncf:\S+meta should be an integer/),
    );
    await expect(reader.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject(
      damaged(/sequence/),
    );
    await expect(reader.waitBeyond(0, { timeoutMs: 1 })).rejects.toMatchObject(damaged(/sequence/));
    await reader[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });

  test("a claim that was made before the feed got a new epoch writes nothing any more", async () => {
    const { log, claim } = await written(2);
    const other = await openTestLog(url);
    await client.del(`${prefix}log`);
    await other.head();
    await expect(log.commit(change(claim, 3))).rejects.toMatchObject({ code: "CONFLICT" });
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  test("the newest event is lost and another one has its number: whoever saw it gives the feed a new epoch", async () => {
    const { log, claim } = await written(1);
    const { epoch } = await log.head();
    const names = await client.keys(`${prefix}*`);
    const dumps = await Promise.all(names.map((name) => client.dumpBuffer(name)));
    await log.commit(change(claim, 2));
    await client.del(...(await client.keys(`${prefix}*`)));
    await Promise.all(names.map((name, n) => client.restore(name, 0, dumps[n] ?? "")));
    const other = await openTestLog(url);
    const nodes = await other.claim(NODES, "other");
    expect(await other.commit(change(nodes, 1, { n1: "77" }))).toMatchObject({ first: 2 });
    expect((await other.head()).epoch).toBe(epoch);
    expect((await log.head()).epoch).not.toBe(epoch);
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });
});

describe.skipIf(missing !== undefined)(`cuts in Redis${skippedBecause(missing)}`, () => {
  beforeAll(async () => {
    server = await RedisServer.start();
    client = server.client();
  });
  afterAll(async () => {
    client.disconnect();
    await server[Symbol.asyncDispose]();
  });

  /** A log with many jobs, of which `commit` writes a revision. */
  async function filled(feed: string) {
    url = `${server.url}?feed=${feed}`;
    prefix = `ncf:{${feed}}:`;
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    const all = Array.from({ length: MANY }, (_, n) => `web-${n}`);
    let number = 0;
    const commit = async (rev: number, keys = all) => {
      number += 1;
      const objects = Object.fromEntries(keys.map((key) => [key, String(rev)]));
      await log.commit({ ...change(claim, number, objects), events: [] });
    };
    await commit(1);
    return { log, commit };
  }

  async function whatIsKept(): Promise<string[]> {
    return (await client.keys(`${prefix}*`)).filter((name) => /:(cut|kept)/.test(name));
  }

  async function keptValues(): Promise<number> {
    const layers = await client.keys(`${prefix}cut:*`);
    return (await Promise.all(layers.map((name) => client.hlen(name)))).reduce((sum, n) => sum + n, 0);
  }

  test("hold what is changed, removed and made after them, kept once for all of them", async () => {
    url = `${server.url}?feed=cuts`;
    prefix = "ncf:{cuts}:";
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1, { changed: "1", removed: "1", twice: "1" }));
    const first = await log.consistentRead();
    const same = await log.consistentRead();
    await log.commit(change(claim, 2, { changed: "2", removed: null, made: "2", twice: "2" }));
    expect(await keptValues()).toBe(4);
    const second = await log.consistentRead();
    await log.commit(change(claim, 3, { changed: "3", made: null, twice: null }));
    expect(await keptValues()).toBe(7);
    for (const read of [first, same]) {
      expect(await objectsOf(read)).toEqual(["changed@1", "removed@1", "twice@1"]);
    }
    expect(await objectsOf(second)).toEqual(["changed@2", "made@2", "twice@2"]);
    await first[Symbol.asyncDispose]();
    expect(await objectsOf(same)).toEqual(["changed@1", "removed@1", "twice@1"]);
    // What the newer one kept is still needed by the older.
    await second[Symbol.asyncDispose]();
    expect(await objectsOf(same)).toEqual(["changed@1", "removed@1", "twice@1"]);
    await same[Symbol.asyncDispose]();
    expect(await whatIsKept()).toEqual([]);
    await log[Symbol.asyncDispose]();
  });

  test.each([
    ["was left for too long", async (layer: string) => client.zadd(`${prefix}cuts`, 0, layer)],
    [
      "needs too much that commits keep",
      async (layer: string) => client.hset(`${prefix}cut-facts`, `bytes:${layer}`, String(2 ** 26)),
    ],
  ])("end a read that %s, with an error that says so", async (_, ends) => {
    const { log, commit } = await filled("ended-cuts");
    const read = await log.consistentRead();
    await commit(2, ["web-2"]);
    await ends((await client.zrange(`${prefix}cuts`, "0", "-1"))[0] ?? "");
    await commit(3, ["web-3"]);
    await expect(objectsOf(read)).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining("was left for too long, or kept too much") as string,
    });
    expect(await whatIsKept()).toEqual([]);
    await client.flushall();
    await log[Symbol.asyncDispose]();
  });

  test("cost one read as many commands however many are open", async () => {
    const { log, commit } = await filled("many-cuts");
    const commandsOfRead = async () => {
      await client.config("RESETSTAT");
      expect((await objectsOf(oldest)).length).toBe(MANY);
      const calls = [...(await client.info("commandstats")).matchAll(/calls=(\d+)/g)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const oldest = await log.consistentRead();
    await commit(2, ["web-2"]);
    const beside1 = await commandsOfRead();
    const others = [];
    for (let rev = 3; rev < 23; rev += 1) {
      others.push(await log.consistentRead());
      await commit(rev, [`web-${rev}`]);
    }
    expect(await commandsOfRead()).toBeLessThan(1.1 * beside1);
    for (const read of [oldest, ...others]) await read[Symbol.asyncDispose]();
    expect(await whatIsKept()).toEqual([]);
    await log[Symbol.asyncDispose]();
  });

  test.each(["older", "newer"])("give up what only the %s one needed, however much it is", async (ended) => {
    const { log, commit } = await filled(`fold-${ended}`);
    const older = await log.consistentRead();
    await commit(2);
    const newer = await log.consistentRead();
    await commit(3);
    expect(await keptValues()).toBe(2 * MANY);
    const [gone, left, rev] = ended === "older" ? [older, newer, 2] : [newer, older, 1];
    await gone[Symbol.asyncDispose]();
    // Each commit gives up some of it.
    for (let n = 0; n < MANY / 100; n += 1) await commit(3, []);
    expect(await keptValues()).toBe(MANY);
    const revs = (await objectsOf(left)).map((object) => object.split("@")[1]);
    expect(revs).toEqual(Array(MANY).fill(String(rev)));
    await left[Symbol.asyncDispose]();
    expect(await whatIsKept()).toEqual([]);
    await log[Symbol.asyncDispose]();
  });
});

interface Frame {
  readonly type: string;
  readonly sequence?: string;
  readonly data: object;
}
