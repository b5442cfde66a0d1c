import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { feedLogContract } from "./feed-log.ts";

feedLogContract("SQLite", openTemporarySqliteLog);
