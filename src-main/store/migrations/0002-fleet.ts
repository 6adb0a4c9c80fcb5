import type { Migration } from "#main/store/database.ts";

/** The lab's own virtual devices, and what a device did without reading past what all others did. */
export const fleet: Migration = {
  version: 2,
  title: "groups of virtual devices, an index of the updates by device",
  sql: `
CREATE TABLE virtual_groups (
  name       TEXT PRIMARY KEY,
  count      INTEGER NOT NULL,
  slowness   REAL NOT NULL,
  drop_out   REAL NOT NULL,
  crash      REAL NOT NULL,
  position   INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- Goes on with the key of the table: run, round, order of arrival.
CREATE INDEX updates_of_device ON client_updates (device);
`,
};
