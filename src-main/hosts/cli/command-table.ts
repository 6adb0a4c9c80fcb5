import { listenOptions } from "./listen-options.ts";
import type { OptionName, OptionValues } from "./options.ts";

/** The words after a command's name. `[NAME]` may be left out. */
type Words = Readonly<Record<string, string>>;

type WordValues<W extends Words> = {
  readonly [K in keyof W]: K extends `[${string}]` ? string | undefined : string;
};

/** One command: how it is called, what it does, and what the rest of the program gets of it. */
interface CommandRow<W extends Words, O extends OptionName, T> {
  /** In one sentence, without its full stop. */
  readonly summary: string;
  /** By placeholder: what it is. In the order in which they are given. */
  readonly words: W;
  /** Besides --help. The first ones matter most. */
  readonly options: readonly O[];
  /** Paragraphs for the command's own help. */
  readonly notes?: readonly string[];
  /** @throws UserError where options do not fit together. */
  read(words: WordValues<W>, options: OptionValues<O>): T;
}

const command = <const W extends Words, const O extends OptionName, T>(
  row: CommandRow<W, O, T>,
): CommandRow<W, O, T> => row;

const LISTEN = ["listen", "tls-cert", "tls-key", "join-token", "allow", "insecure"] as const;

const STOPPING =
  "Press Ctrl-C once to stop after the round in progress, twice to stop now. A study that was stopped can be resumed.";

const STUDY_ID = "id of a study; fedfleet list shows them";

/** Every command of the command line. Parsing, messages, help and the README's table read from here. */
export const COMMANDS = {
  run: command({
    summary: "Run a study. Progress goes to stderr, results (a table or JSON) to stdout",
    words: { "STUDY.yaml": "study file; examples/ has some to start from" },
    options: ["json", "data-dir", ...LISTEN],
    notes: [
      STOPPING,
      "Exit codes: 0 every run is done, 1 a run failed, 2 the study file is invalid, 130 stopped.",
    ],
    read: ({ "STUDY.yaml": file }, { json, dataDir, ...listen }) => ({
      file,
      json,
      dataDir,
      listen: listenOptions(listen),
    }),
  }),
  resume: command({
    summary: "Resume a study that was interrupted: by Ctrl-C, a crash or a power cut",
    words: { "[STUDY-ID]": "id of the study; without one, the latest that was interrupted" },
    options: ["json", "data-dir", ...LISTEN],
    notes: [STOPPING],
    read: ({ "[STUDY-ID]": study }, { json, dataDir, ...listen }) => ({
      study,
      json,
      dataDir,
      listen: listenOptions(listen),
    }),
  }),
  serve: command({
    summary: "Serve the lab to a browser on this computer. The first line of stdout is the URL",
    words: {},
    options: ["port", "no-open", "data-dir"],
    notes: [
      "The lab listens on 127.0.0.1 only. The URL carries a token; keep it to yourself.",
      "Ctrl-C stops the running study, so that it can be resumed, and closes the lab.",
    ],
    read: (_, { port, noOpen, dataDir }) => ({ port, open: !noOpen, dataDir }),
  }),
  list: command({
    summary: "List the studies in the data directory",
    words: {},
    options: ["json", "data-dir"],
    read: (_, options) => options,
  }),
  export: command({
    summary: "Export the results of a study as a table, or every round of it",
    words: { "STUDY-ID": STUDY_ID },
    options: ["format", "at", "metric", "out", "data-dir"],
    notes: ["xlsx is a binary format and needs --out. rounds-csv holds every round and ignores --at."],
    read: ({ "STUDY-ID": study }, options) => ({ study, ...options }),
  }),
  "dataset list": command({
    summary: "List the data sets, or show one",
    words: { "[NAME]": "name of a data set" },
    options: ["json", "data-dir"],
    read: ({ "[NAME]": dataset }, options) => ({ dataset, ...options }),
  }),
  "dataset add": command({
    summary: "Register a copy of a data set under a name. The files stay where they are",
    words: { NAME: "name to use in study files", PATH: "its folder or archive" },
    options: ["json", "data-dir"],
    read: ({ NAME: dataset, PATH: path }, options) => ({ dataset, path, ...options }),
  }),
  "dataset download": command({
    summary: "Download a data set and verify its checksums",
    words: { NAME: "name of a data set; fedfleet dataset list shows them" },
    options: ["json", "data-dir"],
    notes: ["Ctrl-C stops the download; the same command continues it."],
    read: ({ NAME: dataset }, options) => ({ dataset, ...options }),
  }),
  "dataset remove": command({
    summary: "Remove a data set from the list. Its files stay where they are",
    words: { NAME: "name of a registered data set" },
    options: ["data-dir"],
    read: ({ NAME: dataset }, options) => ({ dataset, ...options }),
  }),
  "engine list": command({
    summary: "List the engines of this computer, and show which one would be used",
    words: {},
    options: ["json", "dir"],
    read: (_, options) => options,
  }),
  "engine install": command({
    summary: "Install the native TensorFlow engine, where npm could not",
    words: {},
    options: ["json", "dir"],
    notes: [
      "Needs python3 with pip, g++ and make. The folder lies outside the checkout, so npm ci keeps it.",
    ],
    read: (_, options) => options,
  }),
  doctor: command({
    summary: "Check this computer (engine, Node, Docker, data sets) and suggest what to install",
    words: {},
    options: ["json", "data-dir"],
    read: (_, options) => options,
  }),
} as const;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

/** Without a second word, `fedfleet dataset` and `fedfleet engine` list. */
export const DEFAULT_ACTION = "list";

/** A row, as far as all rows are alike. */
export const commandRow = (
  name: CommandName,
): Omit<CommandRow<Words, OptionName, object>, "read"> & {
  read(words: unknown, options: unknown): object;
} => COMMANDS[name] as never;

/** A command that was read, by its name: `Read<"run">` has the study file. */
export type Read<N extends CommandName> = {
  [K in N]: { readonly name: K } & Readonly<ReturnType<(typeof COMMANDS)[K]["read"]>>;
}[N];
