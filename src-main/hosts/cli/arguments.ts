import { parseArgs } from "node:util";
import { EXPORT_FORMAT_NAMES, type ExportFormat, isExportFormat } from "#contract/export-formats.ts";
import { UserError } from "#contract/failure.ts";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly insecure: boolean;
  readonly joinToken: string | undefined;
  readonly allow: readonly string[];
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

export type Command =
  | { readonly name: "help" }
  | {
      readonly name: "run";
      readonly file: string;
      readonly dataDir: string | undefined;
      readonly listen: ListenOptions | undefined;
      readonly json: boolean;
    }
  | {
      readonly name: "resume";
      readonly study: string | undefined;
      readonly dataDir: string | undefined;
      readonly listen: ListenOptions | undefined;
      readonly json: boolean;
    }
  | {
      readonly name: "serve";
      readonly port: number | undefined;
      readonly dataDir: string | undefined;
      /** Show the lab in the user's browser, where there is one. */
      readonly open: boolean;
    }
  | { readonly name: "list"; readonly dataDir: string | undefined; readonly json: boolean }
  | {
      readonly name: "export";
      readonly study: string;
      readonly format: ExportFormat;
      readonly at: string;
      readonly metric: string | undefined;
      readonly out: string | undefined;
      readonly dataDir: string | undefined;
    }
  | {
      readonly name: "engine";
      readonly action: "install" | "list";
      readonly dir: string | undefined;
      readonly json: boolean;
    }
  | {
      readonly name: "dataset";
      readonly action: "list" | "add" | "download" | "remove";
      readonly dataset: string | undefined;
      readonly path: string | undefined;
      readonly dataDir: string | undefined;
      readonly json: boolean;
    }
  | { readonly name: "doctor"; readonly dataDir: string | undefined; readonly json: boolean };

export const HELP = `fedfleet: a lab for federated learning. Call it as: npm run -s fedfleet -- COMMAND

  fedfleet run STUDY.yaml [--data-dir DIR] [--json]
           [--listen HOST:PORT [--tls-cert FILE --tls-key FILE] [--join-token TOKEN | --allow IP,…] [--insecure]]
  fedfleet resume [STUDY-ID] [--data-dir DIR] [--json] [--listen …]
  fedfleet serve [--port N] [--data-dir DIR] [--no-open]
  fedfleet list [--data-dir DIR] [--json]
  fedfleet export STUDY-ID --format ${EXPORT_FORMAT_NAMES.join("|")} [--at last|best|last5|ROUND] [--out FILE]
  fedfleet dataset list | add NAME PATH | download NAME | remove NAME
  fedfleet engine install [--dir DIR] | list [--json]
  fedfleet doctor [--json]

Ctrl-C once stops after the round in progress, twice at once; resume goes on.
serve opens the lab to browsers of this computer: its first line is the address. Ctrl-C stops what runs and closes it.
Data is kept in --data-dir (default: $FEDFLEET_DATA_DIR, else fedfleet/lab in your user data folder).
`;

const OPTIONS = {
  "data-dir": { type: "string" },
  listen: { type: "string" },
  insecure: { type: "boolean", default: false },
  "join-token": { type: "string" },
  allow: { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  json: { type: "boolean", default: false },
  format: { type: "string" },
  at: { type: "string", default: "last" },
  metric: { type: "string" },
  out: { type: "string" },
  dir: { type: "string" },
  port: { type: "string" },
  "no-open": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Which options each command knows: any other is refused by name. */
const KNOWN: Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>> = {
  run: ["data-dir", "listen", "insecure", "join-token", "allow", "tls-cert", "tls-key", "json"],
  resume: ["data-dir", "listen", "insecure", "join-token", "allow", "tls-cert", "tls-key", "json"],
  serve: ["data-dir", "port", "no-open"],
  list: ["data-dir", "json"],
  export: ["data-dir", "format", "at", "metric", "out"],
  engine: ["dir", "json"],
  dataset: ["data-dir", "json"],
  doctor: ["data-dir", "json"],
};

/**
 * Reads the command line.
 * @throws UserError (exit 2) that names the wrong word and what would be right.
 */
export const parseCommandLine = (argv: readonly string[]): Command => {
  const parsed = readArguments(argv);
  const { values } = parsed;
  const [name, ...rest] = parsed.positionals;
  if (values.help || name === undefined || name === "help") return { name: "help" };
  const known = KNOWN[name];
  if (known === undefined) throw new UserError(`there is no command ${name}; fedfleet --help lists them`);
  for (const token of parsed.tokens) {
    if (token.kind === "option" && !known.includes(token.name as keyof typeof OPTIONS)) {
      throw new UserError(
        `${name} has no option --${token.name}; it knows ${known.map((k) => `--${k}`).join(", ")}`,
      );
    }
  }
  const dataDir = values["data-dir"];
  const { json } = values;
  const words = (most: number) => {
    const extra = rest[most];
    if (extra !== undefined) throw new UserError(`${name}: what is ${extra} for? One word too many`);
  };
  switch (name) {
    case "run": {
      words(1);
      const file = needed(rest[0], "run needs a study file: fedfleet run STUDY.yaml");
      return { name, file, dataDir, listen: listenOptions(values), json };
    }
    case "resume":
      words(1);
      return { name, study: rest[0], dataDir, listen: listenOptions(values), json };
    case "serve":
      words(0);
      return { name, port: portOf(values.port), dataDir, open: !values["no-open"] };
    case "list":
    case "doctor":
      words(0);
      return { name, dataDir, json };
    case "export": {
      words(1);
      const study = needed(rest[0], "export needs a study id: fedfleet list shows them");
      const format = needed(values.format, `export needs --format ${EXPORT_FORMAT_NAMES.join("|")}`);
      if (!isExportFormat(format))
        throw new UserError(`--format ${format}: write one of ${EXPORT_FORMAT_NAMES.join(", ")}`);
      if (!/^(last|best|last5|[1-9]\d*)$/.test(values.at)) {
        throw new UserError(`--at ${values.at}: write last, best, last5 or the number of a round`);
      }
      return { name, study, format, at: values.at, metric: values.metric, out: values.out, dataDir };
    }
    case "engine": {
      words(1);
      const action = rest[0] ?? "list";
      if (action !== "install" && action !== "list")
        throw new UserError(`engine ${action}: write install or list`);
      return { name, action, dir: values.dir, json };
    }
    case "dataset": {
      words(3);
      const action = rest[0] ?? "list";
      if (action !== "list" && action !== "add" && action !== "download" && action !== "remove") {
        throw new UserError(`dataset ${action}: write list, add, download or remove`);
      }
      const dataset =
        action === "list"
          ? rest[1]
          : needed(rest[1], `dataset ${action} needs a name: fedfleet dataset list shows them`);
      const path =
        action === "add" ? needed(rest[2], "dataset add needs a name and a folder or archive") : rest[2];
      return { name, action, dataset, path, dataDir, json };
    }
    default:
      return { name: "help" };
  }
};

const readArguments = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      options: OPTIONS,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : String(error)} (fedfleet --help)`);
  }
};

const needed = (value: string | undefined, message: string): string => {
  if (value === undefined) throw new UserError(message);
  return value;
};

const portOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UserError(`--port ${text}: write a number from 1 to 65535, or 0 for any port that is free`);
  }
  return Number(text);
};

/** `127.0.0.1:8080`, `[::1]:8080` or `:8080` (which is every address). */
export const parseAddress = (text: string): { host: string; port: number } => {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new UserError(`--listen ${text}: write HOST:PORT, e.g. 127.0.0.1:8080 or [::]:8080`);
  }
  return { host: match[1] ?? (match[2] || "::"), port };
};

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

interface ListenValues {
  readonly listen?: string | undefined;
  readonly insecure: boolean;
  readonly "join-token"?: string | undefined;
  readonly allow?: string | undefined;
  readonly "tls-cert"?: string | undefined;
  readonly "tls-key"?: string | undefined;
}

const listenOptions = (values: ListenValues): ListenOptions | undefined => {
  const extras = (["join-token", "allow", "tls-cert", "tls-key"] as const).filter(
    (k) => values[k] !== undefined,
  );
  if (values.listen === undefined) {
    const first = extras[0] ?? (values.insecure ? "insecure" : undefined);
    if (first !== undefined)
      throw new UserError(`--${first} says how to listen; say where with --listen HOST:PORT`);
    return undefined;
  }
  const { host, port } = parseAddress(values.listen);
  const joinToken = values["join-token"];
  const allow = (values.allow ?? "")
    .split(",")
    .map((ip) => ip.trim())
    .filter((ip) => ip !== "");
  const tlsCert = values["tls-cert"];
  const tlsKey = values["tls-key"];
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UserError("TLS needs both --tls-cert and --tls-key");
  }
  if (joinToken !== undefined && allow.length > 0)
    throw new UserError("give --join-token or --allow, not both");
  if (joinToken !== undefined && joinToken.length < 16) {
    throw new UserError("--join-token is shorter than 16 characters; make one with: openssl rand -hex 16");
  }
  if (!isLoopback(host) && !values.insecure) {
    const missing = [
      ...(tlsCert === undefined ? ["--tls-cert FILE --tls-key FILE"] : []),
      ...(joinToken === undefined && allow.length === 0 ? ["--join-token TOKEN or --allow IP,…"] : []),
    ];
    if (missing.length > 0) {
      throw new UserError(
        `--listen ${values.listen} can be reached from other computers: add ${missing.join(" and ")}, or say --insecure to let anyone join in plain text`,
      );
    }
  }
  return { host, port, insecure: values.insecure, joinToken, allow, tlsCert, tlsKey };
};
