import { countReconnects, createRedis } from "../../feed/redis/client.ts";
import { Connection } from "../../feed/redis/connection.ts";
import { locationOf } from "../../feed/redis/location.ts";
import type { Clock } from "../../shared/clock.ts";
import { silentLogger, type Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { RedisBroadcast } from "../redis/redis-broadcast.ts";
import { REST_MS, type CoordinationMetrics } from "../coordination.ts";
import { AssignmentJobs } from "./assignment-jobs.ts";
import { Registry } from "./registry.ts";
import { SharedAssignments } from "./shared-assignments.ts";

/** Workers speak this often, and five times before they are taken for dead. */
const ROUND_MS = 1_000;
const SILENT_ROUNDS = 3;

/** Shares the assignments of the feed at `url` with every other process that does. @throws LogUnusable. */
export function openSharedAssignments(options: {
  readonly url: string;
  /** Names this process and no other. */
  readonly worker: string;
  /** How long a worker may say nothing before its assignments go to others: they have them after at most twice that. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly metrics: CoordinationMetrics & Pick<Metrics, "redisReconnects">;
  readonly restMs?: number;
  readonly clock: Clock;
}): SharedAssignments {
  const { url, worker, timeoutMs, logger, metrics, restMs = REST_MS, clock } = options;
  const location = locationOf(url);
  const { prefix } = location;
  const roundMs = Math.min(ROUND_MS, timeoutMs / 5);
  const silentMs = SILENT_ROUNDS * roundMs;
  // What is wrong with Redis is said once, by the log.
  const connect = () => new Connection(location, { logger: silentLogger(), metrics });
  const connection = connect();
  const redis = createRedis(location, { maxRetriesPerRequest: null, socketTimeout: timeoutMs });
  countReconnects(redis, metrics);
  const jobs = new AssignmentJobs({ redis, connection, prefix, worker, timeoutMs, logger });
  return new SharedAssignments({
    worker,
    registry: new Registry({ connection, prefix, worker, timeoutMs, silentMs }),
    jobs,
    broadcast: new RedisBroadcast({ connection, connect, prefix, logger, clock }),
    logger,
    clock,
    metrics,
    restMs,
    roundMs,
    close: async () => {
      connection.close();
      await jobs[Symbol.asyncDispose]();
    },
  });
}
