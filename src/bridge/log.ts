import type { Config } from "../config/config.ts";
import { feedLocation, type FeedLocation } from "../schemas/value-types.ts";
import type { FeedLog } from "../feed/log.ts";
import { epochEventOf } from "../events/control.ts";
import { LogUnavailable } from "../feed/errors.ts";
import { openSqliteLog } from "../feed/sqlite/open.ts";
import { sourceOfSqliteLog } from "../feed/sqlite/source.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { untilItAnswers, type Waiting } from "./until-it-answers.ts";

// Redis is loaded where it is asked for: the embedded log needs none of it.
const redis = () => import("../feed/redis/open.ts");

/**
 * Opens the configured log for writing; begins it where there is none. Waits for a Redis that does not answer.
 * @throws LogUnusable, LogInUse, LogUnavailable (a file).
 */
export async function openLog(
  config: Pick<Config, "feed" | "redis">,
  { source, metrics, ...waiting }: Waiting & { readonly source: string; readonly metrics: Metrics },
): Promise<FeedLog> {
  const { feed } = config;
  const { logger, clock } = waiting;
  if (feed.kind === "sqlite") return openSqliteLog({ path: feed.path, source, clock });
  const { openRedisLog } = await redis();
  const draftEpochEvent = epochEventOf(source);
  const options = { url: feed.url, source, logger, clock, metrics, draftEpochEvent, ...config.redis };
  return untilRedisAnswers(() => openRedisLog(options), waiting);
}

/** Opens a log that exists, without disturbing who writes it. @throws LogUnusable, LogUnavailable. */
export async function openLogToRead(
  feed: FeedLocation,
  deps: { logger: Logger; clock: Clock },
): Promise<FeedLog> {
  if (feed.kind === "sqlite") return openSqliteLog({ path: feed.path, readOnly: true, clock: deps.clock });
  return (await redis()).openRedisLog({ url: feed.url, readOnly: true, ...deps });
}

/** The source the log belongs to; undefined where there is no log yet. Waits as `openLog` does. @throws LogUnusable. */
export async function sourceOfLog(feed: FeedLocation, waiting: Waiting): Promise<string | undefined> {
  if (feed.kind === "sqlite") return sourceOfSqliteLog(feed.path);
  const { sourceOfRedisLog } = await redis();
  return untilRedisAnswers(() => sourceOfRedisLog(feed.url, waiting.logger), waiting);
}

function untilRedisAnswers<T>(ask: () => Promise<T>, waiting: Waiting): Promise<T> {
  return untilItAnswers(ask, {
    ...waiting,
    isPassing: (error) => error instanceof LogUnavailable,
    say: (message) => `cannot open the log yet, retrying: ${message}`,
  });
}

/** The location for people, without password. */
export function locationText(feed: FeedLocation): string {
  return feed.kind === "sqlite" ? feed.path : feedLocation().print(feed);
}
