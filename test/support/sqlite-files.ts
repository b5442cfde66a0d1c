import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteLog } from "../../src/feed/sqlite/open.ts";
import type { OpenLog } from "../contract/log-context.ts";

/** A directory of its own for each log; fsync is left out, for speed. */
export const openTemporarySqliteLog: OpenLog = async (options) => {
  const directory = await mkdtemp(join(tmpdir(), "feed-log-"));
  const path = join(directory, "feed.db");
  const open = () => openSqliteLog({ path, source: "nomad://test/global", fsync: false, ...options });
  let log = await open();
  return {
    log,
    reopen: async () => {
      await log[Symbol.asyncDispose]();
      log = await open();
      return log;
    },
    reader: () => openSqliteLog({ path, readOnly: true }),
    dispose: async () => {
      await log[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
};
