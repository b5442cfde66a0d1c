import type { Clock } from "../../shared/clock.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { FeedHead } from "../log.ts";
import { checkServer, type ServerReport } from "./checks.ts";
import { Connection } from "./connection.ts";
import type { Durability } from "./durability.ts";
import { locationOf } from "./location.ts";
import { openRedisLog } from "./open.ts";

/** What there is to know of a log in Redis without writing: `head` is undefined where the feed was not begun yet. */
export async function inspectRedis(
  url: string,
  durability: Durability,
  clock: Clock,
): Promise<ServerReport & { head: FeedHead | undefined }> {
  const location = locationOf(url);
  const connection = new Connection(location, { logger: silentLogger() });
  await connection.open();
  try {
    const report = await checkServer(connection, durability);
    const begun = await connection.call("EXISTS", `${location.prefix}meta`);
    if (begun === 0) return { ...report, head: undefined };
    const log = await openRedisLog({ url, readOnly: true, logger: silentLogger(), clock });
    try {
      return { ...report, head: await log.head() };
    } finally {
      await log[Symbol.asyncDispose]();
    }
  } finally {
    connection.close();
  }
}
