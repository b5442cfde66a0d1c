import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { feedLogContract } from "./feed-log.ts";
import { consistentReadContract } from "./consistent-reads.ts";

feedLogContract("SQLite", openTemporarySqliteLog);
consistentReadContract("SQLite", openTemporarySqliteLog);
