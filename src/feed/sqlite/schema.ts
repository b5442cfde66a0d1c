/** "NCFL", at offset 68 of the file: tells our logs from other SQLite databases. */
export const APPLICATION_ID = 0x4e43464c;

/** Severities that are rare enough for an index of their own. */
export const SEVERE = "severity IN ('WARN','ERROR','FATAL')";

/**
 * Documented for people in docs/sqlite-log.md. Sequences are contiguous and `recorded_at` never falls, so a
 * bound on time is a bound on the sequence, and every index that begins with the column asked for is already
 * in the order wanted. The columns after `sequence` let further conditions be decided in the index, without
 * reading the event.
 */
const FORMAT_1 = `
CREATE TABLE meta (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  source      TEXT    NOT NULL,
  epoch       TEXT    NOT NULL,
  sequence    INTEGER NOT NULL DEFAULT 0,
  floor       INTEGER NOT NULL DEFAULT 0,
  bytes       INTEGER NOT NULL DEFAULT 0,
  fence       INTEGER NOT NULL DEFAULT 0,
  nomad_epoch INTEGER NOT NULL DEFAULT 0,
  created_at  TEXT    NOT NULL,
  writer      TEXT
);

CREATE TABLE events (
  sequence    INTEGER PRIMARY KEY,
  recorded_at TEXT NOT NULL,
  time        TEXT NOT NULL,
  type        TEXT NOT NULL,
  resource    TEXT,
  namespace   TEXT,
  key         TEXT,
  job         TEXT,
  node        TEXT,
  op          TEXT,
  aspect      TEXT,
  severity    TEXT NOT NULL,
  signals     TEXT NOT NULL,
  id          TEXT NOT NULL,
  data        TEXT NOT NULL
);
CREATE INDEX events_by_time      ON events (recorded_at);
CREATE INDEX events_by_key       ON events (key, sequence, resource, namespace) WHERE key IS NOT NULL;
CREATE INDEX events_by_job       ON events (job, sequence, namespace, resource, op, severity) WHERE job IS NOT NULL;
CREATE INDEX events_by_node      ON events (node, sequence, namespace, resource, op, severity) WHERE node IS NOT NULL;
CREATE INDEX events_by_scope     ON events (resource, namespace, sequence, op, severity);
CREATE INDEX events_by_namespace ON events (namespace, sequence, resource, op, severity);
CREATE INDEX events_by_resource  ON events (resource, sequence, op, severity);
CREATE INDEX events_by_op        ON events (op, sequence, severity);
CREATE INDEX events_by_severity  ON events (sequence, severity, namespace, resource, op) WHERE ${SEVERE};

CREATE TABLE event_signals (
  signal   TEXT    NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (signal, sequence)
) WITHOUT ROWID;

CREATE TABLE overflow (
  sequence INTEGER PRIMARY KEY,
  data     TEXT NOT NULL
);

CREATE TABLE state (
  resource  TEXT NOT NULL,
  namespace TEXT NOT NULL,
  key       TEXT NOT NULL,
  rev       TEXT NOT NULL,
  stub      TEXT NOT NULL,
  UNIQUE (resource, namespace, key)
);

CREATE TABLE scopes (
  resource         TEXT    NOT NULL,
  namespace        TEXT    NOT NULL,
  fence            INTEGER NOT NULL DEFAULT 0,
  owner            TEXT    NOT NULL DEFAULT '',
  rev              INTEGER NOT NULL DEFAULT 0,
  commit_id        TEXT,
  first            INTEGER NOT NULL DEFAULT 0,
  last             INTEGER NOT NULL DEFAULT 0,
  baselined        INTEGER NOT NULL DEFAULT 0,
  checkpoint_fence INTEGER NOT NULL DEFAULT 0,
  raft_index       TEXT,
  nomad_epoch      INTEGER,
  count            INTEGER,
  observed_at      TEXT,
  memo             TEXT,
  PRIMARY KEY (resource, namespace)
) WITHOUT ROWID;

CREATE TABLE consumers (
  name       TEXT PRIMARY KEY,
  epoch      TEXT    NOT NULL,
  sequence   INTEGER NOT NULL,
  updated_at TEXT    NOT NULL,
  last_error TEXT
) WITHOUT ROWID;
`;

/** What makes format 2 of format 1, and so on. Files that are new are made the same way. */
const UPGRADES = [
  `
CREATE TABLE dead_letters (
  consumer  TEXT    NOT NULL,
  sequence  INTEGER NOT NULL,
  epoch     TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  reason    TEXT    NOT NULL,
  attempts  INTEGER NOT NULL,
  parked_at TEXT    NOT NULL,
  data      TEXT    NOT NULL,
  UNIQUE (consumer, sequence, epoch)
);
`,
  `
ALTER TABLE consumers ADD COLUMN owner TEXT;
`,
  `
ALTER TABLE meta ADD COLUMN outage TEXT;
`,
  `
CREATE TABLE documents (
  name       TEXT PRIMARY KEY,
  owner      TEXT    NOT NULL,
  fence      INTEGER NOT NULL,
  text       TEXT,
  updated_at TEXT    NOT NULL
) WITHOUT ROWID;
`,
] as const;

export const SCHEMA_VERSION = 1 + UPGRADES.length;
export const SCHEMA = [FORMAT_1, ...UPGRADES].join("");

/** What brings a file of this format to the present one; "" where it is of the present one. */
export function upgradeFrom(version: number): string {
  return UPGRADES.slice(version - 1).join("");
}
