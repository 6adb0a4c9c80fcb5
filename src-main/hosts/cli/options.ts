import { EXPORT_FORMAT_NAMES, isExportFormat } from "#contract/export-formats.ts";
import { parseAddress, SHORTEST_TOKEN } from "./listen-options.ts";

/** An option that is given or not: `--json`. */
export interface FlagOption {
  readonly help: string;
}

/** An option with a value: `--port N`. */
export interface ValueOption<T> {
  readonly help: string;
  /** Stands for the value in help. */
  readonly value: string;
  /** What a value looks like: for the message about one that does not. */
  readonly expects: string;
  /** The value where the option is not given. Without one it is undefined. */
  readonly default?: string;
  /** The command cannot do without it. */
  readonly required?: true;
  /** A message about the value must not repeat it. */
  readonly secret?: true;
  /** @returns undefined for a text that is no such value. */
  read(text: string): T | undefined;
}

const asText = (text: string): string => text;

const portOf = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;

const listOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

const option = <const O extends FlagOption | ValueOption<unknown>>(row: O): O => row;

/** Every option of the command line. Parsing, messages and help read from here. */
export const OPTIONS = {
  json: option({ help: "Print JSON instead of text" }),
  "data-dir": option({
    value: "DIR",
    expects: "a directory",
    help: "Directory for studies and data. Default: $FEDFLEET_DATA_DIR, else fedfleet/lab in your user data folder",
    read: asText,
  }),
  listen: option({
    value: "HOST:PORT",
    expects: "HOST:PORT, e.g. 127.0.0.1:8080 or [::]:8080",
    help: "Address where external Flower clients connect. Default: 127.0.0.1:8080",
    read: parseAddress,
  }),
  "tls-cert": option({
    value: "FILE",
    expects: "a PEM file",
    help: "Server certificate for --listen (PEM)",
    read: asText,
  }),
  "tls-key": option({
    value: "FILE",
    expects: "a PEM file",
    help: "Private key for --tls-cert (PEM)",
    read: asText,
  }),
  "join-token": option({
    value: "TOKEN",
    secret: true,
    expects: `at least ${SHORTEST_TOKEN} characters; create one with: openssl rand -hex 16`,
    help: "Secret that clients must present to join",
    read: (text) => (text.length < SHORTEST_TOKEN ? undefined : text),
  }),
  allow: option({
    value: "IP,…",
    expects: "IP addresses, separated by commas",
    help: "Only these IP addresses may join",
    read: listOf,
  }),
  insecure: option({ help: "Listen beyond this computer without TLS or token: anyone can join" }),
  port: option({
    value: "N",
    expects: "a number from 1 to 65535, or 0 for any free port",
    help: "Port for the browser; 0 picks a free one. Default: 7340, or a free one if that is taken",
    read: portOf,
  }),
  "no-open": option({ help: "Do not open the browser" }),
  format: option({
    value: "FORMAT",
    expects: `one of ${EXPORT_FORMAT_NAMES.join(", ")}`,
    required: true,
    help: `One of ${EXPORT_FORMAT_NAMES.join(", ")}`,
    read: (text) => (isExportFormat(text) ? text : undefined),
  }),
  at: option({
    value: "WHEN",
    expects: "last, best, last5 or the number of a round",
    default: "last",
    help: "Round in the table: last, best, last5 (mean of the last five) or its number. Default: last",
    read: (text) => (/^(last|best|last5|[1-9]\d*)$/.test(text) ? text : undefined),
  }),
  metric: option({
    value: "NAME",
    expects: "the name of a metric",
    help: "Metric in the table. Default: the primary metric of the task",
    read: asText,
  }),
  out: option({
    value: "FILE",
    expects: "a file",
    help: "Write to this file instead of stdout",
    read: asText,
  }),
  dir: option({
    value: "DIR",
    expects: "a directory",
    help: "Directory of the native engine. Default: $FEDFLEET_ENGINE_DIR, else fedfleet/engine in your user data folder",
    read: asText,
  }),
  help: option({ help: "Show help, for all commands or for one" }),
} as const;

export type OptionName = keyof typeof OPTIONS;

type Camel<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

type ValueOf<O> = O extends { read(text: string): infer T }
  ? O extends { readonly default: string } | { readonly required: true }
    ? Exclude<T, undefined>
    : T | undefined
  : boolean;

/** What a command is given: its options by name, `--data-dir` as `dataDir`. */
export type OptionValues<N extends OptionName> = {
  readonly [K in N as Camel<K>]: ValueOf<(typeof OPTIONS)[K]>;
};

/** The row of an option, as far as all rows are alike. */
export const rowOf = (name: OptionName): FlagOption & Partial<ValueOption<unknown>> => OPTIONS[name];
