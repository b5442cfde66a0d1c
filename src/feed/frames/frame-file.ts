import { closeSync, openSync } from "node:fs";
import { LogUnusable } from "../errors.ts";
import { Connection } from "../sqlite/connection.ts";

/** "NCFF", at offset 68 of the file. */
const APPLICATION_ID = 0x4e434646;
const FORMAT = 3;

/**
 * `history` grows where Nomad's index went back, as after a restore: within one, the index of Nomad's frames never falls.
 * A gap is kept with the frame behind it, and goes with it. `extra`: 1 of a frame that Nomad never sent. `followed`: how far
 * the feed was read for these. `narrowed`: which topics alone the newest frames were recorded of, and since which index;
 * empty where of all.
 */
const TABLES = `
CREATE TABLE frames (
  sequence    INTEGER PRIMARY KEY,
  history     INTEGER NOT NULL,
  raft_index  INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL,
  gap_after   INTEGER,
  extra       INTEGER NOT NULL DEFAULT 0,
  line        BLOB    NOT NULL
);
CREATE INDEX frames_by_index ON frames (history, raft_index, sequence);
CREATE INDEX gaps ON frames (history, raft_index, gap_after) WHERE gap_after IS NOT NULL;
`;

const SINCE_FORMAT_2 = `
CREATE INDEX extra_frames ON frames (history, raft_index, sequence) WHERE extra = 1;
CREATE TABLE followed (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  place    TEXT NOT NULL
);
`;

const SINCE_FORMAT_3 = `
CREATE TABLE narrowed (
  topics      TEXT    NOT NULL,
  after_index INTEGER NOT NULL
);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT};
`;

const FROM_FORMAT_1 = `ALTER TABLE frames ADD COLUMN extra INTEGER NOT NULL DEFAULT 0;`;

/** By format, what makes a file of it one of ours. */
const UPGRADES: ReadonlyMap<number | undefined, string> = new Map([
  [1, FROM_FORMAT_1 + SINCE_FORMAT_2 + SINCE_FORMAT_3],
  [2, SINCE_FORMAT_3],
  [FORMAT, ""],
]);

/** @throws LogUnusable, LogUnavailable */
export function openFrameFile(path: string): Connection {
  // Frames hold whole jobs, with what is secret in them.
  closeSync(openSync(path, "a", 0o600));
  const connection = new Connection(path, { readOnly: false, busyMs: 250 });
  try {
    const owner = connection.get("PRAGMA application_id")?.integer("application_id");
    const format = connection.get("PRAGMA user_version")?.integer("user_version");
    const isNew = owner === 0 && connection.get("SELECT 1 AS one FROM sqlite_schema LIMIT 1") === undefined;
    if (!isNew && owner !== APPLICATION_ID)
      throw new LogUnusable(`${path} is not a log of frames: it is the SQLite database of another program`, {
        hint: "Give --compat-log a file of its own; the feed's own log is another one",
      });
    const upgrade = isNew ? TABLES + SINCE_FORMAT_2 + SINCE_FORMAT_3 : UPGRADES.get(format);
    if (upgrade === undefined)
      throw new LogUnusable(`The log of frames ${path} has format ${format}; this version reads ${FORMAT}`, {
        hint: "Use the version that wrote it, or move it aside to begin a new one",
      });
    connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    if (upgrade !== "") connection.transaction(() => connection.exec(upgrade));
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
