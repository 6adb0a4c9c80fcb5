import type { BoardProblem } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";

/** What can go wrong with a board's data, in a person's words. */

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
    title: "The connection broke while data were sent",
    cause: "The board went away, or its network did.",
    next: "Nothing: it goes on where it was when the board is back.",
  });

export const diskFull = (needed: number, free: number, raw?: string): BoardError =>
  problem({
    code: "disk-full",
    title: `${megabytes(needed)} are needed, ${megabytes(free)} are free`,
    cause: "The disk that holds the home folder has no room for the study's data.",
    next: "Delete what is not needed there (docker image ls shows images that no device uses), then try again.",
    ...(raw === undefined ? {} : { raw }),
    actions: [
      RETRY,
      {
        do: "show-commands",
        label: "Show what takes room",
        commands: ["df -h ~", "du -xh -d 2 ~ | sort -h | tail -20", "docker system df"],
      },
    ],
  });

export const notWritable = (raw: string): BoardError => {
  const readOnly = /read-only file system/i.test(raw);
  const quota = /quota/i.test(raw);
  const title = readOnly
    ? "The board's disk can only be read"
    : quota
      ? "The user's share of the disk is used up"
      : "The lab's folder on the board cannot be written";
  return problem({
    // Whatever the reason, no more data fit there.
    code: "disk-full",
    title,
    cause: readOnly
      ? "Its system does so when a disk or memory card fails, or was not shut down properly."
      : "The board refused to write into .fedfleet in the user's home folder.",
    next: readOnly
      ? "Start the board again; if that does not help, replace its memory card."
      : "See to whom the folder .fedfleet belongs and how much the user may store.",
    raw,
    actions: [
      RETRY,
      {
        do: "show-commands",
        label: "Show how to look",
        commands: ["ls -ld ~ ~/.fedfleet", "findmnt -T ~", "quota"],
      },
    ],
  });
};

export const damaged = (what: string, raw: string): BoardError =>
  problem({
    code: "data-damaged",
    title: "The data arrive damaged",
    cause: `${what} had another checksum on the board than here, twice in a row.`,
    next: "Suspect the board's memory card or memory; try another card.",
    raw,
    actions: [RETRY],
  });

export const folderMissing = (folder: string, why: string, raw?: string): BoardError =>
  problem({
    code: "data-missing",
    title: `The data folder ${why}`,
    cause: `The board's data are looked for in ${folder}.`,
    next: "Put the data set there, correct the folder, or let the lab send each study's part.",
    ...(raw === undefined || raw === "" ? {} : { raw }),
    actions: [RETRY, { do: "edit-target", label: "Change the folder" }],
  });
