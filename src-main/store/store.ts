import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createBoardLog } from "./board-log.ts";
import { createBoardTable } from "./boards.ts";
import { createCheckpointTable } from "./checkpoints.ts";
import { openDatabase } from "./database.ts";
import { createDatasetTable } from "./datasets.ts";
import { createDeviceUpdates } from "./device-updates.ts";
import { createDeviceTable } from "./devices.ts";
import { createEventTable } from "./events.ts";
import { createForget } from "./forget-study.ts";
import { createGroupTable } from "./groups.ts";
import { createLabId } from "./lab-id.ts";
import { lockDirectory } from "./lock.ts";
import { first } from "./migrations/0001-first.ts";
import { fleet } from "./migrations/0002-fleet.ts";
import { boards } from "./migrations/0003-boards.ts";
import { metrics } from "./migrations/0004-metrics.ts";
import { createRecorder } from "./recorder.ts";
import { createReportRows } from "./report-rows.ts";
import { createRoundTable } from "./rounds.ts";
import { createRunTable } from "./runs.ts";
import { createStudyTable } from "./studies.ts";
import { createStudyLog } from "./study-log.ts";
import { createStudyRows } from "./study-rows.ts";
import { createUpdateTable } from "./updates.ts";

/** Every step that the tables ever took, oldest first. */
const MIGRATIONS = [first, fleet, boards, metrics];

export interface StoreOptions {
  /** Made if it is not there. */
  readonly dataDir: string;
  /** Called with one sentence about each piece of work that takes a while. */
  readonly onProgress?: (message: string) => void;
  /**
   * Read-only, beside the process that holds the directory: nothing is repaired, and the database refuses every write.
   */
  readonly look?: boolean;
}

export type Store = ReturnType<typeof openStore>;

/**
 * Opens the lab's memory: a SQLite database and a folder of checkpoints, for this process alone.
 * What an earlier process left behind when it died is repaired: runs that it conducted become "interrupted",
 * files that it did not finish are removed.
 * @throws UserError when another process holds the directory (exit code 2, naming it), when the database is
 * damaged or newer than the program, or when the directory may not be written.
 */
export const openStore = ({ dataDir: given, onProgress = () => {}, look = false }: StoreOptions) => {
  const dataDir = resolve(given);
  const lock = look ? { release: () => {} } : lockDirectory(dataDir);
  try {
    const db = openDatabase(join(dataDir, "fedfleet.db"), MIGRATIONS, onProgress);
    try {
      mkdirSync(join(dataDir, "checkpoints"), { recursive: true });
      const devices = createDeviceTable(db);
      const datasets = createDatasetTable(db);
      const runs = createRunTable(db);
      const studies = createStudyTable(db, runs);
      const checkpoints = createCheckpointTable(db, dataDir);
      const updates = createUpdateTable(db);
      const rounds = createRoundTable(db, updates, checkpoints);
      const events = createEventTable(db, updates, rounds);
      const boardRecords = createBoardTable(db);
      const { record, recordRound, closeWhatDied } = createRecorder(db, {
        devices,
        studies,
        runs,
        updates,
        rounds,
        checkpoints,
        events,
      });
      if (look) db.exec("PRAGMA query_only = ON");
      else {
        closeWhatDied(new Date().toISOString());
        const orphans = checkpoints.removeOrphans();
        if (orphans > 0)
          onProgress(`removed ${orphans} unfinished checkpoint ${orphans === 1 ? "file" : "files"}`);
      }
      return {
        /** Absolute. */
        dataDir,
        devices: {
          upsert: devices.upsert,
          list: devices.list,
          forget: devices.forget,
          forgetAll: devices.forgetAll,
          ...createDeviceUpdates(db),
        },
        groups: createGroupTable(db),
        boards: boardRecords,
        boardLog: createBoardLog(db),
        labId: look ? () => "" : createLabId(db),
        datasets,
        studies,
        /** As pages list and draw them, without reading the records of rounds. */
        studyRows: createStudyRows(db),
        studyLog: createStudyLog(db, events),
        /** As reports take them, without reading the records of rounds. */
        reportRows: createReportRows(db),
        forget: createForget(db, dataDir),
        runs,
        rounds: {
          of: rounds.of,
          get: rounds.get,
          remembered: rounds.remembered,
          columns: rounds.columns,
          updates: updates.soFar,
          last: rounds.last,
        },
        checkpoints: {
          write: checkpoints.write,
          read: checkpoints.read,
          get: checkpoints.get,
          of: checkpoints.of,
          prune: checkpoints.prune,
        },
        record,
        recordRound,
        events: events.list,
        lastEvent: events.last,
        countEvents: events.countAfter,
        /** Writes everything into one file and lets the directory go. May be called twice. */
        close: (): void => {
          if (db.isOpen) db.close();
          lock.release();
        },
      };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
};
