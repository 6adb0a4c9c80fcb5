import { UserError } from "#contract/failure.ts";
import type { Read } from "./command-table.ts";
import type { CommandDeps } from "./commands.ts";
import type { Screen } from "./terminal.ts";

export interface DatasetEntry {
  readonly name: string;
  readonly title: string;
  readonly state: string;
  readonly where?: string | undefined;
  /** "official": every file has its published checksum; "structure": sizes, counts and labels are plausible. */
  readonly verified?: string | undefined;
  /** What is wrong with it, and in which file. */
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
  command: Read<"dataset list" | "dataset add" | "dataset download" | "dataset remove">,
  datasets: DatasetCommands,
  { stdout, screen, onInterrupt }: Pick<CommandDeps, "stdout" | "screen" | "onInterrupt">,
): Promise<number> => {
  if (command.name === "dataset remove") {
    if (!datasets.remove(command.dataset)) {
      throw new UserError(
        `no data set is registered as ${command.dataset}; fedfleet dataset list shows them`,
      );
    }
    screen.write(`removed ${command.dataset} from the list; its files stay where they are\n`);
    return 0;
  }
  const entries = await entriesOf(command, datasets, screen, onInterrupt);
  if (command.json) stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
  else for (const entry of entries) stdout.write(`${describe(entry)}\n`);
  return 0;
};

const entriesOf = async (
  command: Read<"dataset list" | "dataset add" | "dataset download">,
  datasets: DatasetCommands,
  screen: Screen,
  onInterrupt: CommandDeps["onInterrupt"],
): Promise<readonly DatasetEntry[]> => {
  switch (command.name) {
    case "dataset list": {
      const entries = await datasets.list();
      return entries.filter(({ name }) => command.dataset === undefined || name === command.dataset);
    }
    case "dataset add":
      return [await datasets.add(command.dataset, command.path)];
    case "dataset download": {
      // What has arrived is kept: the next call continues from there.
      const stop = new AbortController();
      const off = onInterrupt(() => stop.abort(new Error("stopped by Ctrl-C")));
      try {
        return [await datasets.download(command.dataset, { onProgress: meter(screen), signal: stop.signal })];
      } finally {
        off();
      }
    }
  }
};

const INDENT = " ".repeat(38);

/** Its state in a word or two. */
export const stateText = ({ state, downloadBytes }: DatasetEntry): string =>
  state === "missing" && downloadBytes !== undefined ? "not downloaded" : state;

const describe = (e: DatasetEntry): string => {
  const facts = [
    ...(e.where === undefined ? [] : [e.where]),
    ...(e.verified === undefined
      ? []
      : [e.verified === "official" ? "official files, checksums verified" : "structure checked"]),
    ...(e.state === "ready" || e.downloadBytes === undefined
      ? []
      : [`download: ${(e.downloadBytes / MEGABYTE).toFixed(1)} MB`]),
  ];
  const lines = [
    `${e.name.padEnd(22)} ${stateText(e).padEnd(14)} ${e.title}`,
    ...facts,
    ...(e.problem === undefined ? [] : [e.problem]),
    ...(e.next === undefined || e.state === "ready" ? [] : [e.next]),
  ];
  return lines.join(`\n${INDENT}`);
};

const MEGABYTE = 1e6;

/** Shows progress: on a terminal one line that counts up, elsewhere a line for every tenth. */
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
