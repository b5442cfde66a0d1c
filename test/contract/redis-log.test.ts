import { describe, expect, test } from "vitest";
import { Redis } from "ioredis";
import { NO_NOTES, type Commit, type FeedLog } from "../../src/feed/log.ts";
import { openTestLog, redisLogsOf } from "../support/redis-logs.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { checkAgainstModel } from "./feed-log-model.ts";
import { feedLogContract } from "./feed-log.ts";
import { eventPagesContract } from "./event-pages.ts";
import { consistentReadContract } from "./consistent-reads.ts";

const { redisUrl, missing } = await sharedRedis();
// A Redis that others use too may hold the feeds of an earlier run.
const runId = Date.now().toString(36);

describe.skipIf(redisUrl === undefined)(`with a real Redis${missing}`, () => {
  const open = redisLogsOf(redisUrl ?? "", { prefix: runId });

  feedLogContract("Redis", open);
  consistentReadContract("Redis", open);
  eventPagesContract("Redis", open);

  test("a read of everything asks for no state of namespaces in which nothing is left", async () => {
    await using log = await openTestLog(`${redisUrl}?feed=${runId}-gone`);
    const listed = async (): Promise<string[]> => {
      using redis = connected(redisUrl ?? "");
      const [states = ""] = await redis.client.keys(`*${runId}-gone*states`);
      return states === "" ? [] : redis.client.smembers(states);
    };
    const first = await filled(log, "pr-1");
    expect(await listed()).toEqual(["jobs:pr-1"]);
    await first.empty();
    expect(await listed()).toEqual([]);
    const second = await filled(log, "pr-2");
    {
      await using read = await log.consistentRead();
      await second.empty();
      const objects = await Array.fromAsync(read.entries());
      expect(objects.flat().map(({ ref }) => ref.namespace)).toEqual(["pr-2"]);
      // A read may need it yet.
      expect(await listed()).toEqual(["jobs:pr-2"]);
    }
    expect(await listed()).toEqual([]);
    await filled(log, "pr-2");
    await using again = await log.consistentRead();
    expect((await Array.fromAsync(again.entries())).flat()).toHaveLength(1);
  });

  test("the Redis log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 60)).resolves.toBeUndefined();
  });
});

function connected(url: string): { readonly client: Redis } & Disposable {
  const client = new Redis(url);
  return { client, [Symbol.dispose]: () => client.disconnect() };
}

/** A namespace with one job, which goes again. */
async function filled(log: FeedLog, namespace: string): Promise<{ empty(): Promise<void> }> {
  const scope = { resource: "jobs", namespace } as const;
  const claim = await log.claim(scope, "me");
  const ref = { ...scope, key: "web" };
  let { rev } = claim;
  const write = async (next: Commit["state"][number]["next"]): Promise<void> => {
    const { fence } = claim;
    const commit = { scope, fence, expectedRev: rev, commitId: `${fence}-${rev}`, notes: NO_NOTES };
    ({ rev } = await log.commit({ ...commit, events: [], state: [{ ref, next }] }));
  };
  await write({ rev: "1", stub: Buffer.from("{}") });
  return { empty: () => write(null) };
}
