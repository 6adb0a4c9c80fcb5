import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BoardLogLine } from "#contract/boards.ts";
import type { LabEventBody } from "#contract/events.ts";
import type { BoardRecord } from "#main/boards/board-record.ts";
import type { DevicePoint } from "#main/boards/board-telemetry.ts";
import { createBoards } from "#main/boards/boards.ts";
import type { BoardsNotice } from "#main/boards/boards-options.ts";
import type { Sshd } from "#test/setup/sshd.ts";

/** The boards of a lab whose records are in memory. */
export const createBoardsLab = () => {
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-boards-"));
  const records = new Map<string, BoardRecord>();
  const notices: BoardsNotice[] = [];
  const events: LabEventBody[] = [];
  const recorded: DevicePoint[] = [];
  const lines: BoardLogLine[] = [];
  const bugs: unknown[] = [];
  const boards = createBoards({
    dataDir: folder,
    deviceScripts: fileURLToPath(new URL("../../../device-scripts/", import.meta.url)),
    labId: () => "lab-of-test",
    records: {
      list: () => [...records.values()],
      add: (record) => void records.set(record.name, record),
      save: (record) => void records.set(record.name, record),
      remove: (name) => records.delete(name),
    },
    log: {
      append: (_, added) => {
        const numbered = added.map((line, i) => ({ ...line, id: lines.length + i + 1 }));
        lines.push(...numbered);
        return numbered;
      },
      addPoints: (points) => void recorded.push(...points),
      forgetOldPoints: () => {},
      points: () => [],
    },
    drops: { list: () => [], add: () => {}, done: () => {} },
    emit: (event) => void events.push(event as LabEventBody),
    onBug: (error) => void bugs.push(error),
    sshConfig: join(folder, ".ssh", "config"),
  });
  boards.onNotice((notice) => void notices.push(notice));
  return {
    boards,
    records,
    notices,
    events,
    recorded,
    lines,
    bugs,
    /** What boards told of themselves. */
    points: () => notices.flatMap((notice) => (notice.kind === "telemetry" ? notice.points : [])),
    async close(): Promise<void> {
      await boards.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** Connections that an SSH server took since `count` was made, and how they were signed in to. */
export const countConnections = (sshd: Sshd) => {
  const before = sshd.log().length;
  const linesSince = async (): Promise<string[]> => {
    await wait(200);
    return sshd.log().slice(before).split("\n");
  };
  return {
    all: async (): Promise<number> =>
      (await linesSince()).filter((line) => line.startsWith("Connection from ")).length,
    /** "keyboard-interactive/pam", "publickey", … */
    accepted: async (): Promise<string[]> =>
      (await linesSince()).flatMap((line) => /^Accepted (\S+) for/.exec(line)?.[1] ?? []),
  };
};
