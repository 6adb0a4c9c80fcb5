import { UserError } from "#contract/failure.ts";
import type { Command } from "./arguments.ts";
import type { Screen } from "./terminal.ts";

export interface DatasetEntry {
  readonly name: string;
  readonly title: string;
  readonly state: string;
  readonly where?: string | undefined;
  /** "official": every file has its published checksum; "structure": sizes, counts and labels are right. */
  readonly verified?: string | undefined;
  /** What is wrong with it, naming the file. */
  readonly problem?: string | undefined;
  readonly downloadBytes?: number | undefined;
  readonly next?: string | undefined;
  readonly terms?: string | undefined;
}

export interface DatasetCommands {
  list(): Promise<readonly DatasetEntry[]>;
  add(name: string, path: string): Promise<DatasetEntry>;
  download(
    name: string,
    options: { onProgress: (done: number, total: number | undefined) => void; signal: AbortSignal },
  ): Promise<DatasetEntry>;
  remove(name: string): boolean;
}

export const datasetCommand = async (
  command: Command & { name: "dataset" },
  datasets: DatasetCommands,
  stdout: { write(text: string): unknown },
  screen: Screen,
  onInterrupt: (listener: () => void) => () => void,
): Promise<number> => {
  const { action, dataset: name = "", path = "" } = command;
  const print = (entries: readonly DatasetEntry[]) => {
    if (command.json) stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    else for (const e of entries) stdout.write(`${describe(e)}\n`);
    return 0;
  };
  switch (action) {
    case "list": {
      const entries = await datasets.list();
      return print(command.dataset === undefined ? entries : entries.filter((e) => e.name === name));
    }
    case "add":
      return print([await datasets.add(name, path)]);
    case "download": {
      // What was fetched is kept: the next call goes on from there.
      const stop = new AbortController();
      const off = onInterrupt(() => stop.abort(new Error("stopped by Ctrl-C")));
      try {
        return print([await datasets.download(name, { onProgress: meter(screen), signal: stop.signal })]);
      } finally {
        off();
      }
    }
    case "remove":
      if (!datasets.remove(name)) throw new UserError(`there is no registered data set ${name}`);
      screen.write(`forgot ${name}; its files stay where they are\n`);
      return 0;
  }
};

const INDENT = " ".repeat(32);

const describe = (e: DatasetEntry): string => {
  const facts = [
    ...(e.where === undefined ? [] : [e.where]),
    ...(e.verified === undefined
      ? []
      : [e.verified === "official" ? "official files" : "checked by structure"]),
    ...(e.state === "ready" || e.downloadBytes === undefined
      ? []
      : [`a download of ${(e.downloadBytes / MEGABYTE).toFixed(1)} MB`]),
  ];
  const lines = [
    `${e.name.padEnd(22)} ${e.state.padEnd(8)} ${e.title}`,
    ...facts,
    ...(e.problem === undefined ? [] : [e.problem]),
    ...(e.next === undefined || e.state === "ready" ? [] : [e.next]),
  ];
  return lines.join(`\n${INDENT}`);
};

const MEGABYTE = 1e6;

/** On a terminal one line that counts up; elsewhere a line at every tenth. */
const meter = (screen: Screen) => {
  let last = -1;
  return (done: number, total: number | undefined) => {
    const text = `${(done / MEGABYTE).toFixed(1)}${total === undefined ? "" : ` of ${(total / MEGABYTE).toFixed(1)}`} MB`;
    if (screen.isTTY) {
      screen.write(`\r${text}\u001b[K${done === total ? "\n" : ""}`);
      return;
    }
    const tenth = total === undefined ? Math.floor(done / (10 * MEGABYTE)) : Math.floor((done / total) * 10);
    if (tenth !== last) screen.write(`${text}\n`);
    last = tenth;
  };
};
