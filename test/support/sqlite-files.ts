import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeedLog } from "../../src/feed/log.ts";
import { openSqliteLog, type SqliteLogOptions } from "../../src/feed/sqlite/open.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import type { OpenLog } from "../contract/log-context.ts";

type WithoutClock<T> = T extends unknown ? Omit<T, "clock"> : never;

/** By the system's clock, unless another is given. */
export function openSqlite(
  options: WithoutClock<SqliteLogOptions> & { readonly clock?: Clock },
): Promise<FeedLog> {
  return openSqliteLog({ clock: systemClock, ...options });
}

/** A directory of its own for each log; fsync is left out, for speed. */
export const openTemporarySqliteLog: OpenLog = async (options) => {
  const directory = await mkdtemp(join(tmpdir(), "feed-log-"));
  const path = join(directory, "feed.db");
  const open = () => openSqlite({ path, source: "nomad://test/global", fsync: false, ...options });
  let log = await open();
  return {
    log,
    reopen: async () => {
      await log[Symbol.asyncDispose]();
      log = await open();
      return log;
    },
    reader: () => openSqlite({ path, readOnly: true }),
    dispose: async () => {
      await log[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
};
