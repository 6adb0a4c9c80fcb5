import type { DatabaseSync } from "node:sqlite";
import type { ClientUpdate } from "#contract/events.ts";
import type { DeviceUpdate } from "#contract/views.ts";
import { fromExactJson } from "./exact-json.ts";

type RunRow = { run: string; algorithm: string; trial: number; study: string; studyName: string };
type UpdateRow = { round: number; body: string };

const toDeviceUpdate = (run: RunRow, { round, body }: UpdateRow): DeviceUpdate => {
  const { device: _, metrics: __, ...rest } = fromExactJson(body) as ClientUpdate;
  return { ...run, round, ...rest };
};

/** Updates of devices as pages show them: without metrics, with the names of study and algorithm. */
export const createDeviceUpdates = (db: DatabaseSync) => {
  // Updates have no time of their own, but runs follow each other. One that was resumed counts from its last end.
  const newestRuns = `
    SELECT runs.id AS run, algorithm, trial, study_id AS study, studies.name AS studyName
    FROM runs JOIN studies ON studies.id = study_id
    WHERE runs.status <> 'waiting'`;
  const order = "ORDER BY coalesce(runs.ended_at, '9999') DESC, runs.started_at DESC, runs.ordinal DESC";
  const runs = db.prepare(`${newestRuns} ${order}`);
  const runsOf = db.prepare(
    `${newestRuns} AND EXISTS (SELECT 1 FROM client_updates WHERE device = ? AND run_id = runs.id) ${order}`,
  );
  const newest = db.prepare(`
    SELECT round, body FROM client_updates WHERE device = ? AND run_id = ? ORDER BY round DESC, seq DESC LIMIT ?`);
  const devices = db.prepare(
    "SELECT name FROM devices WHERE EXISTS (SELECT 1 FROM client_updates WHERE device = name)",
  );

  return {
    /** A device's updates, newest first. Of a round that was begun twice, both are there. */
    history: (device: string, limit: number): DeviceUpdate[] => {
      const found: DeviceUpdate[] = [];
      for (const run of runsOf.all(device) as RunRow[]) {
        if (found.length >= limit) break;
        const rows = newest.all(device, run.run, limit - found.length) as UpdateRow[];
        for (const row of rows) found.push(toDeviceUpdate(run, row));
      }
      return found;
    },
    /** The newest update of every device that has one, by its name. */
    lastUpdates: (): Map<string, DeviceUpdate> => {
      const newestFirst = runs.all() as RunRow[];
      const found = new Map<string, DeviceUpdate>();
      for (const { name } of devices.all() as { name: string }[]) {
        for (const run of newestFirst) {
          const row = newest.get(name, run.run, 1) as UpdateRow | undefined;
          if (row === undefined) continue;
          found.set(name, toDeviceUpdate(run, row));
          break;
        }
      }
      return found;
    },
  };
};
