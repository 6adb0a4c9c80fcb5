import type { Migration } from "#main/store/database.ts";

/**
 * The first tables. What a page lists is kept in narrow rows; what is large (partitions, the whole record of a
 * round) lies in tables of its own, so that a list or a curve never reads past it.
 */
export const first: Migration = {
  version: 1,
  title: "devices, data sets, studies, runs, rounds, updates, events",
  sql: `
CREATE TABLE devices (
  name        TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  dialect     TEXT,
  address     TEXT,
  first_seen  TEXT NOT NULL,
  last_seen   TEXT NOT NULL,
  connected   INTEGER NOT NULL DEFAULT 0,
  left_reason TEXT
) STRICT;

CREATE TABLE datasets (
  name          TEXT PRIMARY KEY,
  format        TEXT NOT NULL,
  path          TEXT NOT NULL,
  sha256s       TEXT NOT NULL,
  registered_at TEXT NOT NULL
) STRICT;

-- Studies that share a partition share its row.
CREATE TABLE partitions (
  sha256 TEXT PRIMARY KEY,
  body   TEXT NOT NULL
) STRICT;

CREATE TABLE studies (
  ordinal          INTEGER PRIMARY KEY,
  id               TEXT NOT NULL UNIQUE,
  name             TEXT NOT NULL,
  status           TEXT NOT NULL,
  reason           TEXT,
  study            TEXT NOT NULL,
  classes          TEXT NOT NULL,
  partition_sha256 TEXT REFERENCES partitions (sha256),
  dataset_sha256   TEXT,
  engine           TEXT NOT NULL,
  created_at       TEXT NOT NULL,
  started_at       TEXT,
  ended_at         TEXT
) STRICT;

CREATE TABLE runs (
  ordinal    INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  study_id   TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  algorithm  TEXT NOT NULL,
  trial      INTEGER NOT NULL,
  seed       INTEGER NOT NULL,
  status     TEXT NOT NULL,
  reason     TEXT,
  engine     TEXT,
  started_at TEXT,
  ended_at   TEXT,
  UNIQUE (study_id, algorithm, trial)
) STRICT;

-- The curve of a run: 0-based rounds, loss and accuracy null where unknown or not a finite number.
CREATE TABLE rounds (
  run_id         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  round          INTEGER NOT NULL,
  loss           REAL,
  accuracy       REAL,
  clients        INTEGER NOT NULL,
  failures       INTEGER NOT NULL,
  examples       INTEGER NOT NULL,
  weights_sha256 TEXT NOT NULL,
  started_at     TEXT NOT NULL,
  seconds        REAL NOT NULL,
  PRIMARY KEY (run_id, round)
) STRICT, WITHOUT ROWID;

-- The whole record of a round but for its updates.
CREATE TABLE round_records (
  run_id TEXT NOT NULL,
  round  INTEGER NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (run_id, round),
  FOREIGN KEY (run_id, round) REFERENCES rounds (run_id, round) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
  run_id     TEXT NOT NULL,
  round      INTEGER NOT NULL,
  path       TEXT NOT NULL UNIQUE,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (run_id, round),
  FOREIGN KEY (run_id, round) REFERENCES rounds (run_id, round) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Weights that belong to a study and not to a round: where the first client gave the model.
CREATE TABLE study_checkpoints (
  study_id   TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  round      INTEGER NOT NULL,
  path       TEXT NOT NULL UNIQUE,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (study_id, round)
) STRICT, WITHOUT ROWID;

-- seq: order of arrival. place: position in the round's record, null until the round ended and for an update
-- that came after it or before a crash.
CREATE TABLE client_updates (
  run_id     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  round      INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  place      INTEGER,
  device     TEXT NOT NULL,
  status     TEXT NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (run_id, round, seq)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id is never given twice, so a reader can ask for what came after it.
-- seq points to the client_updates row that holds the rest of a client-update event.
CREATE TABLE events (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  at       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  study_id TEXT REFERENCES studies (id) ON DELETE CASCADE,
  run_id   TEXT,
  round    INTEGER,
  seq      INTEGER,
  body     TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_study ON events (study_id, id);
`,
};
