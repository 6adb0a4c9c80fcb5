import type { Migration } from "#main/store/database.ts";

/** Boards reached over SSH, what they said and what their clients printed; the lab's own name. */
export const boards: Migration = {
  version: 3,
  title: "boards, their telemetry and the output of their clients",
  sql: `
CREATE TABLE lab (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE boards (
  name            TEXT PRIMARY KEY,
  host            TEXT NOT NULL,
  port            INTEGER,
  user            TEXT,
  -- how one signs in, without secrets
  sign_in         TEXT NOT NULL,
  key_type        TEXT NOT NULL,
  key_fingerprint TEXT NOT NULL,
  data_folder     TEXT,
  -- as it was probed last, JSON
  facts           TEXT,
  -- whether the steps of its plan were done when they were looked at last
  ready           INTEGER NOT NULL DEFAULT 0,
  position        INTEGER NOT NULL,
  added_at        TEXT NOT NULL
) STRICT;

-- studies that were forgotten while their data were still on a board
CREATE TABLE board_drops (
  device TEXT NOT NULL,
  study  TEXT NOT NULL,
  PRIMARY KEY (device, study)
) STRICT, WITHOUT ROWID;

CREATE TABLE board_telemetry (
  device TEXT NOT NULL,
  at     TEXT NOT NULL,
  point  TEXT NOT NULL,
  PRIMARY KEY (device, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE board_log (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  device TEXT NOT NULL,
  study  TEXT,
  at     TEXT NOT NULL,
  stream TEXT NOT NULL,
  text   TEXT NOT NULL
) STRICT;

CREATE INDEX board_log_of_device ON board_log (device, id);
`,
};
