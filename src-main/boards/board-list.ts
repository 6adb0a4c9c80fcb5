import { isIPv6 } from "node:net";
import { CsvError, parse } from "csv-parse/sync";
import { type BoardTarget, boardName, boardTarget, type ListedBoard } from "#contract/boards.ts";

type Column = "name" | "host" | "port" | "user";

/** What a column may be called. */
const COLUMNS: Readonly<Record<string, Column>> = {
  name: "name",
  board: "name",
  device: "name",
  host: "host",
  hostname: "host",
  address: "host",
  ip: "host",
  port: "port",
  user: "user",
  username: "user",
  login: "user",
};
const DEFAULT_PORT = 22;
const LONGEST_NAME = 41;

/** A line as it was read, before boards without a name get one and duplicates are found. */
interface Entry {
  readonly line: number;
  readonly name?: string;
  readonly target?: BoardTarget;
  readonly problem?: string;
}

/**
 * Reads a pasted list of boards. It is either a list with one `user@host:port` or `name user@host` per line, where user
 * and port are optional, an IPv6 address is in brackets, and `#` starts a comment; or a CSV file whose first line names
 * the columns name, host, port and user in any order, separated by commas, semicolons or tabs. Never throws: a line that
 * cannot be used says why.
 */
export const readBoardList = (text: string): ListedBoard[] => {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((content, i) => ({ line: i + 1, content }))
    .filter(({ content }) => content.trim() !== "" && !content.trim().startsWith("#"));
  const table = lines[0] && readHeader(lines[0].content);
  const entries = table
    ? lines.slice(1).map(({ line, content }) => ({ line, ...readRow(content, table) }))
    : lines.map(({ line, content }) => ({ line, ...readLine(content.trim()) }));
  return nameAll(entries);
};

interface Table {
  readonly separator: string;
  readonly columns: readonly (Column | undefined)[];
}

const readHeader = (line: string): Table | undefined => {
  // One word on the first line is a column only where it cannot be meant as a board.
  const isOneColumn = line.trim().toLowerCase() === "host";
  for (const separator of [",", ";", "\t"]) {
    if (!line.includes(separator) && !isOneColumn) continue;
    const { cells } = splitRow(line, separator);
    const columns = cells?.map((title) => {
      const key = title.toLowerCase();
      return Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined;
    });
    if (columns?.includes("host") && (columns.length > 1 || isOneColumn)) return { separator, columns };
  }
  return undefined;
};

const readRow = (line: string, { separator, columns }: Table): Omit<Entry, "line"> => {
  const { cells, problem } = splitRow(line, separator);
  if (cells === undefined) return { problem };
  const cell = (column: Column): string => cells[columns.indexOf(column)] ?? "";
  if (cells.slice(columns.length).some((extra) => extra !== "")) {
    return { problem: `This line has ${cells.length} columns, but the first line names ${columns.length}.` };
  }
  const name = cell("name");
  const named = name === "" ? {} : { name };
  const host = cell("host").replace(/^\[(.*)\]$/, "$1");
  if (host === "") return { ...named, problem: "The host is missing." };
  return { ...named, ...readTarget(host, cell("port"), cell("user")) };
};

const CSV_PROBLEMS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "A quote is not closed.",
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: "There is text after a closing quote.",
};

/**
 * The cells of one line of CSV (RFC 4180), trimmed. Lines are parsed one by one, so that a quote which is not closed
 * spoils its own line and does not swallow the boards below it.
 */
const splitRow = (
  line: string,
  delimiter: string,
):
  | { readonly cells: readonly string[]; readonly problem?: never }
  | { readonly cells?: never; readonly problem: string } => {
  try {
    const [cells = []] = parse(line, { delimiter, trim: true, relax_quotes: true });
    return { cells: cells.map((cell) => cell.trim()) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { problem: CSV_PROBLEMS[error.code] ?? `This line is not valid CSV: ${error.message}.` };
  }
};

const readLine = (content: string): Omit<Entry, "line"> => {
  const words = content
    .replace(/\s#.*$/, "")
    .trim()
    .split(/\s+/);
  const [first = "", second] = words;
  if (words.length > 2)
    return { problem: "This line has too many words. Write `user@host:port` or `name user@host:port`." };
  if (second === undefined && /[,;]/.test(first))
    return {
      problem: "A list with columns needs a first line that names them, for example name,host,port,user.",
    };
  const named = second === undefined ? {} : { name: first };
  return { ...named, ...readAddress(second ?? first) };
};

const readAddress = (text: string): Pick<Entry, "target" | "problem"> => {
  const address = text.replace(/^ssh:\/\//i, "").replace(/\/$/, "");
  const at = address.lastIndexOf("@");
  const user = at < 0 ? "" : address.slice(0, at);
  const rest = address.slice(at + 1);
  if (at === 0) return { problem: "The user before the @ is missing." };
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest);
  if (bracketed) {
    if (!isIPv6(bracketed[1]!)) return { problem: `“${shown(bracketed[1]!)}” is not an IPv6 address.` };
    return readTarget(bracketed[1]!, bracketed[2] ?? "", user, bracketed[2] === "");
  }
  if (rest.includes("[") || rest.includes("]")) return { problem: "The brackets do not match." };
  if (isIPv6(rest)) return readTarget(rest, "", user);
  const parts = rest.split(":");
  if (parts.length > 2) return { problem: "Put an IPv6 address in brackets: [fe80::1]:22." };
  if (parts[0] === "") return { problem: "The host is missing." };
  return readTarget(parts[0]!, parts[1] ?? "", user, parts[1] === "");
};

const readTarget = (
  host: string,
  port: string,
  user: string,
  isPortMissing = false,
): Pick<Entry, "target" | "problem"> => {
  // A program that gets the name as an argument would take a leading dash for an option.
  if (!isIPv6(host) && !/^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u.test(host))
    return { problem: `“${shown(host)}” is not a host name.` };
  if (
    isPortMissing ||
    (port !== "" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
  )
    return { problem: `“${shown(port)}” is not a port. Use a number from 1 to 65535.` };
  if (user !== "" && !/^[\p{L}\p{N}_][\p{L}\p{N}._@\\$-]*$/u.test(user))
    return { problem: `“${shown(user)}” is not a user name.` };
  const target = boardTarget.safeParse({
    host,
    ...(port !== "" && { port: Number(port) }),
    ...(user !== "" && { user }),
  });
  return target.success
    ? { target: target.data }
    : { problem: `The ${String(target.error.issues[0]?.path[0] ?? "address")} is too long.` };
};

/** The user's own names go first, so that a name made from a host never takes one of them. */
const nameAll = (entries: readonly Entry[]): ListedBoard[] => {
  const names = new Map<string, number>();
  const addresses = new Map<string, number>();
  const checked = entries.map((entry): Entry => {
    if (entry.target === undefined) return entry;
    const address = addressKey(entry.target);
    const duplicate = addresses.get(address);
    if (duplicate !== undefined) return { ...entry, problem: `Line ${duplicate} already lists this board.` };
    addresses.set(address, entry.line);
    if (entry.name === undefined) return entry;
    if (!boardName.safeParse(entry.name).success)
      return {
        ...entry,
        problem: `“${shown(entry.name)}” is not a valid name. Use up to ${LONGEST_NAME} letters, digits or dashes; a name cannot start with a dash.`,
      };
    const namesake = names.get(entry.name.toLowerCase());
    if (namesake !== undefined) return { ...entry, problem: `Line ${namesake} already uses this name.` };
    names.set(entry.name.toLowerCase(), entry.line);
    return entry;
  });
  const freeName = namesByHost(new Set(names.keys()));
  return checked.map((entry) =>
    entry.problem !== undefined || entry.target === undefined || entry.name !== undefined
      ? entry
      : { ...entry, name: freeName(entry.target.host) },
  );
};

/** "pi4.local" → "pi4"; "10.0.0.7" → "10-0-0-7". */
const plainName = (host: string): string => {
  const isAddress = /^[\d.]+$/.test(host) || isIPv6(host);
  const label = isAddress ? host.replace(/%.*$/, "") : (host.split(".")[0] ?? "");
  const plain = label
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, LONGEST_NAME);
  return plain || "board";
};

/** Names boards after their hosts; a name that is taken gets a number: "pi4-2". */
const namesByHost = (taken: Set<string>): ((host: string) => string) => {
  /** The number to try next, so that thousands of boards of one name stay cheap. */
  const next = new Map<string, number>();
  const isFree = (name: string): boolean => !taken.has(name.toLowerCase());
  return (host) => {
    const base = plainName(host);
    const key = base.toLowerCase();
    let name = base;
    let number = next.get(key) ?? 2;
    for (; !isFree(name); number += 1) {
      const ending = `-${number}`;
      name = base.slice(0, LONGEST_NAME - ending.length) + ending;
    }
    next.set(key, number);
    taken.add(name.toLowerCase());
    return name;
  };
};

const addressKey = ({ host, port = DEFAULT_PORT, user = "" }: BoardTarget): string =>
  JSON.stringify([host.toLowerCase(), port, user]);

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
