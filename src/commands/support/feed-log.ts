import type { Config } from "../../config/config.ts";
import { feedLocation, type FeedLocation } from "../../config/value-types.ts";
import type { FeedLog } from "../../feed/log.ts";
import { epochEventOf } from "../../events/control.ts";
import { openSqliteLog } from "../../feed/sqlite/open.ts";
import { sourceOfSqliteLog } from "../../feed/sqlite/source.ts";
import type { Logger } from "../../telemetry/logger.ts";

// Redis is loaded where it is asked for: the embedded log needs none of it.
const redis = () => import("../../feed/redis/open.ts");

/** Opens the configured log for writing; begins it where there is none. @throws LogUnusable, LogInUse, LogUnavailable. */
export async function openLog(
  config: Pick<Config, "feed" | "redis">,
  { source, logger }: { source: string; logger: Logger },
): Promise<FeedLog> {
  const { feed } = config;
  if (feed.kind === "sqlite") return openSqliteLog({ path: feed.path, source });
  return (await redis()).openRedisLog({
    url: feed.url,
    source,
    logger,
    draftEpochEvent: epochEventOf(source),
    ...config.redis,
  });
}

/** Opens a log that exists, without disturbing who writes it. @throws LogUnusable, LogUnavailable. */
export async function openLogToRead(feed: FeedLocation, logger: Logger): Promise<FeedLog> {
  if (feed.kind === "sqlite") return openSqliteLog({ path: feed.path, readOnly: true });
  return (await redis()).openRedisLog({ url: feed.url, readOnly: true, logger });
}

/** The source the log belongs to; undefined where there is no log yet. @throws LogUnusable, LogUnavailable. */
export async function sourceOfLog(feed: FeedLocation, logger: Logger): Promise<string | undefined> {
  if (feed.kind === "sqlite") return sourceOfSqliteLog(feed.path);
  return (await redis()).sourceOfRedisLog(feed.url, logger);
}

/** The location for people, without password. */
export function locationText(feed: FeedLocation): string {
  return feed.kind === "sqlite" ? feed.path : feedLocation().print(feed);
}
