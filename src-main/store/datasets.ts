import type { DatabaseSync } from "node:sqlite";
import type { DatasetLocation } from "#contract/dataset.ts";

/** A data set that a person registered: where it lies and what its files looked like. */
export interface DatasetRecord extends DatasetLocation {
  /** SHA-256 (hex) per file name. */
  readonly sha256s: Readonly<Record<string, string>>;
  /** ISO 8601, UTC. */
  readonly registeredAt: string;
}

type DatasetRow = { name: string; format: string; path: string; sha256s: string; registered_at: string };

const toRecord = (row: DatasetRow): DatasetRecord => ({
  name: row.name,
  format: row.format,
  path: row.path,
  sha256s: JSON.parse(row.sha256s) as Record<string, string>,
  registeredAt: row.registered_at,
});

export const createDatasetTable = (db: DatabaseSync) => {
  const save = db.prepare(`
    INSERT INTO datasets (name, format, path, sha256s, registered_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET format = excluded.format, path = excluded.path,
      sha256s = excluded.sha256s, registered_at = excluded.registered_at`);
  const all = db.prepare("SELECT * FROM datasets ORDER BY name");
  const one = db.prepare("SELECT * FROM datasets WHERE name = ?");
  const remove = db.prepare("DELETE FROM datasets WHERE name = ?");
  return {
    /** By name. */
    list: (): DatasetRecord[] => (all.all() as DatasetRow[]).map(toRecord),
    get: (name: string): DatasetRecord | undefined => {
      const row = one.get(name) as DatasetRow | undefined;
      return row && toRecord(row);
    },
    /** Registers a data set, in place of the one that had its name. */
    save: (dataset: Omit<DatasetRecord, "registeredAt">, at: string = new Date().toISOString()): void => {
      save.run(dataset.name, dataset.format, dataset.path, JSON.stringify(dataset.sha256s), at);
    },
    /** Forgets a data set; its files stay. @returns whether there was one. */
    remove: (name: string): boolean => remove.run(name).changes > 0,
  };
};
