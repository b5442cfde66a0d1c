import type { Config } from "../../../config/config.ts";
import { inspectRedis } from "../../../feed/redis/inspect.ts";
import { sourceOfRedisLog } from "../../../feed/redis/open.ts";
import type { Clock } from "../../../shared/clock.ts";
import { silentLogger } from "../../../telemetry/logger.ts";
import { failureOf, ok, warning, type Check } from "./check.ts";
import { locationText } from "../../../bridge/log.ts";
import { foreignLog } from "./source-check.ts";

/** Whether Redis answers and keeps what it is given, and what is in the log there. */
export async function* checkRedisLog(
  config: Config,
  { region, clock }: { region: string | undefined; clock: Clock },
): AsyncGenerator<Check> {
  const { feed, redis } = config;
  if (feed.kind !== "redis") return;
  const where = locationText(feed);
  try {
    const { product, warnings, head } = await inspectRedis(feed.url, redis.durability, clock);
    yield ok("redis", `${product} answers`);
    for (const { message, hint } of warnings) yield warning("redis", message, hint);
    if (head === undefined) yield ok("log", `${where} will be begun`);
    else {
      const source = await sourceOfRedisLog(feed.url, silentLogger());
      yield (
        (source === undefined ? undefined : foreignLog(config, where, source, region)) ??
          ok("log", `${where}: ${head.sequence - head.floor} events, newest ${head.epoch}-${head.sequence}`)
      );
    }
  } catch (error) {
    yield failureOf("log", error);
  }
}
