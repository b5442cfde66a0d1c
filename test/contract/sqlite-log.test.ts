import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { feedLogContract } from "./feed-log.ts";
import { consistentReadContract } from "./consistent-reads.ts";
import { eventPagesContract } from "./event-pages.ts";

feedLogContract("SQLite", openTemporarySqliteLog);
consistentReadContract("SQLite", openTemporarySqliteLog);
eventPagesContract("SQLite", openTemporarySqliteLog);
