import { openSharedAssignments } from "../../src/coordination/bullmq/open.ts";
import type { Coordination } from "../../src/coordination/coordination.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { epochEventOf } from "../../src/events/control.ts";
import { openRedisLog, type RedisLogOptions } from "../../src/feed/redis/open.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { OpenLog } from "../contract/log-context.ts";

const SOURCE = "nomad://test/global";
let feeds = 0;

/** Opens the feed at `url` for writing. */
export function openTestLog(url: string, extra: Partial<WriteOptions> = {}): Promise<FeedLog> {
  const draftEpochEvent = epochEventOf(SOURCE);
  return openRedisLog({
    url,
    source: SOURCE,
    logger: silentLogger(),
    clock: systemClock,
    draftEpochEvent,
    ...extra,
  });
}

/** Opens the feed at `url` for reading. */
export function openTestLogToRead(url: string, extra: { silenceMs?: number } = {}): Promise<FeedLog> {
  return openRedisLog({ url, readOnly: true, logger: silentLogger(), clock: systemClock, ...extra });
}

type WriteOptions = Exclude<RedisLogOptions, { readonly readOnly: true }>;

/**
 * Each log is a feed of its own, whose name begins with `prefix`, in the Redis at `url`, which may come to be later.
 */
export function redisLogsOf(url: string | (() => string), { prefix }: { prefix: string }): OpenLog {
  return async (options) => {
    const own = `${typeof url === "string" ? url : url()}?feed=${prefix}-${(feeds += 1)}`;
    const open = () => openTestLog(own, { ...options, recordedAt: () => options.clock.now() });
    let log = await open();
    return {
      log,
      reopen: async () => {
        await log[Symbol.asyncDispose]();
        log = await open();
        return log;
      },
      reader: () => openTestLogToRead(own),
      dispose: () => log[Symbol.asyncDispose](),
    };
  };
}

/** The assignments of one process, of a feed of its own in the Redis at `url`. */
export async function openAssignments(url: string, { clock }: { clock: Clock }): Promise<Coordination> {
  const own = `${url}?feed=assignments-${(feeds += 1)}`;
  return openSharedAssignments({
    url: own,
    worker: "me",
    timeoutMs: 3000,
    logger: silentLogger(),
    metrics: createMetrics(),
    clock,
  });
}
