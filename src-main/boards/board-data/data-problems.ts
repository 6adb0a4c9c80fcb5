import type { BoardProblem } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";

/** What can go wrong with a board's data, in plain words. */

const RETRY = { do: "retry", label: "Try again" } as const;

/** "3.1 MB": decimal, as disks are sold. */
export const megabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;

const problem = (known: BoardProblem, cause?: unknown): BoardError => new BoardError(known, { cause });

export const cancelled = (): BoardError =>
  problem({
    code: "cancelled",
    title: "Sending the data was stopped",
    cause: "It was stopped before all of it was on the board.",
    next: "Start it again: what is there already is not sent twice.",
  });

export const connectionLost = (): BoardError =>
  problem({
    code: "connection-lost",
    title: "The connection broke while data were being sent",
    cause: "The board or its network went down.",
    next: "Nothing to do: sending continues where it was when the board is back.",
  });

export const diskFull = (needed: number, free: number, raw?: string): BoardError =>
  problem({
    code: "disk-full",
    title: `${megabytes(needed)} are needed, ${megabytes(free)} are free`,
    cause: "The disk that holds the home folder has no room for the study's data.",
    next: "Delete what is no longer needed there (docker image ls lists the images), then try again.",
    ...(raw === undefined ? {} : { raw }),
    actions: [
      RETRY,
      {
        do: "show-commands",
        label: "Show what takes space",
        commands: ["df -h ~", "du -xh -d 2 ~ | sort -h | tail -20", "docker system df"],
      },
    ],
  });

export const notWritable = (raw: string): BoardError => {
  const readOnly = /read-only file system/i.test(raw);
  const quota = /quota/i.test(raw);
  const title = readOnly
    ? "The board's disk is read-only"
    : quota
      ? "The user's disk quota is used up"
      : "The lab cannot write to its folder on the board";
  return problem({
    // For any of these reasons, no more data fit there.
    code: "disk-full",
    title,
    cause: readOnly
      ? "The system makes it read-only when a disk or memory card fails, or after an improper shutdown."
      : "The board refused to write to .fedfleet in the user's home folder.",
    next: readOnly
      ? "Restart the board. If that does not help, replace its memory card."
      : "Check who owns the folder .fedfleet and how much the user may store.",
    raw,
    actions: [
      RETRY,
      {
        do: "show-commands",
        label: "Show how to check",
        commands: ["ls -ld ~ ~/.fedfleet", "findmnt -T ~", "quota"],
      },
    ],
  });
};

export const damaged = (what: string, raw: string): BoardError =>
  problem({
    code: "data-damaged",
    title: "The data arrive damaged",
    cause: `${what} had a different checksum on the board, twice in a row.`,
    next: "The board's memory card or memory may be failing: try another card.",
    raw,
    actions: [RETRY],
  });

export const folderMissing = (folder: string, why: string, raw?: string): BoardError =>
  problem({
    code: "data-missing",
    title: `The data folder ${why}`,
    cause: `The lab looks for the board's data in ${folder}.`,
    next: "Put the data set there, correct the folder, or let the lab send each study's part.",
    ...(raw === undefined || raw === "" ? {} : { raw }),
    actions: [RETRY, { do: "edit-target", label: "Change the folder" }],
  });
