import { describe, expect, it } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { openTestLog, openTestLogToRead } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

const SCOPE = { resource: "jobs", namespace: "default" } as const;
const missing = redisMissing();

async function commits(log: FeedLog): Promise<(number: number) => Promise<unknown>> {
  const { fence } = await log.claim(SCOPE, "test");
  return (number) => {
    const { event } = objectChange({ ...SCOPE, key: `job-${number}` }, String(number));
    const commit = { scope: SCOPE, fence, expectedRev: number - 1, commitId: `c${number}` };
    return log.commit({ ...commit, events: [event], state: [] });
  };
}

const idOf = (number: number) => `0/jobs/default/job-${number}@${number}`;
const isChange = ({ type }: ReceivedEvent) => type === "nomad.job.updated";

describe.skipIf(missing !== undefined)(
  `subscribers of a process that only reads a log in Redis${skippedBecause(missing)}`,
  () => {
    it("are told when Redis is away, and go on from their cursor without loss when it is back", async () => {
      await using redis = await RedisServer.start("--appendonly", "yes");
      const writer = await openTestLog(redis.url);
      const commit = await commits(writer);
      await commit(1);
      const log = await openTestLogToRead(redis.url);
      await using feed = await TestFeed.open();
      const { url } = await feed.serve({}, { log });
      const client = await WebSocketClient.connect(`${url}/v1/events?types=jobs&cursor=earliest`);
      const first = (await client.until(isChange)).at(-1);
      await commit(2);
      const second = (await client.until(isChange)).at(-1);
      expect([first?.id, second?.id]).toEqual([idOf(1), idOf(2)]);

      await redis.kill();
      const told = (await client.until(() => false)).at(-1);
      expect(told).toMatchObject({
        data: { code: "LOG_UNAVAILABLE", closeCode: 1013, cursor: second?.cursor },
      });
      await redis.start();
      await until("the writer is back", () =>
        commit(3).then(
          () => true,
          () => false,
        ),
      );
      await commit(4);

      const resume = `${url}/v1/events?types=jobs&cursor=${second?.cursor}`;
      const again = await until("the reader is back", () =>
        WebSocketClient.connect(resume).catch(() => undefined),
      );
      const missed = await again.until((event) => event.id === idOf(4));
      expect(missed.filter(isChange).map(({ id }) => id)).toEqual([idOf(3), idOf(4)]);
      await commit(5);
      expect((await again.until(isChange)).at(-1)?.id).toBe(idOf(5));
      await again.close();
      await log[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    });
  },
);
