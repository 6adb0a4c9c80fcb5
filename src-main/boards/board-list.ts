import { isIPv6 } from "node:net";
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

/** A line as it was read, before names are given and twins found. */
interface Entry {
  readonly line: number;
  readonly name?: string;
  readonly target?: BoardTarget;
  readonly problem?: string;
}

/**
 * Reads a pasted list of boards: a line each, `user@host:port` or `name user@host`, where user and port may be left
 * out, an IPv6 address stands in brackets, and `#` begins a comment; or a CSV file whose first line names the columns
 * name, host, port and user in any order, with commas, semicolons or tabs. Never throws: a line that cannot be used
 * says why.
 */
export const readBoardList = (text: string): ListedBoard[] => {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((content, i) => ({ line: i + 1, content: content.trim() }))
    .filter(({ content }) => content !== "" && !content.startsWith("#"));
  const table = lines[0] && readHeader(lines[0].content);
  const entries = table
    ? lines.slice(1).map(({ line, content }) => ({ line, ...readRow(content, table) }))
    : lines.map(({ line, content }) => ({ line, ...readLine(content) }));
  return nameAll(entries);
};

interface Table {
  readonly separator: string;
  readonly columns: readonly (Column | undefined)[];
}

const readHeader = (line: string): Table | undefined => {
  for (const separator of [",", ";", "\t"]) {
    const columns = splitRow(line, separator)?.map((title) => {
      const key = title.toLowerCase();
      return Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined;
    });
    if (columns === undefined || !columns.includes("host")) continue;
    // One word on the first line is a column only where it cannot be meant as a board.
    if (columns.length > 1 || line.toLowerCase() === "host") return { separator, columns };
  }
  return undefined;
};

const readRow = (line: string, { separator, columns }: Table): Omit<Entry, "line"> => {
  const cells = splitRow(line, separator);
  if (cells === undefined) return { problem: "A quote is not closed." };
  const cell = (column: Column): string => cells[columns.indexOf(column)] ?? "";
  if (cells.length > columns.length && cells.slice(columns.length).some((extra) => extra !== ""))
    return { problem: `It has ${cells.length} columns, the first line names ${columns.length}.` };
  const name = cell("name");
  const named = name === "" ? {} : { name };
  const host = cell("host").replace(/^\[(.*)\]$/, "$1");
  if (host === "") return { ...named, problem: "The host is missing." };
  return { ...named, ...readTarget(host, cell("port"), cell("user")) };
};

/** RFC 4180, in one line. @returns undefined where a quote is not closed */
const splitRow = (line: string, separator: string): string[] | undefined => {
  const cells: string[] = [];
  let at = 0;
  while (true) {
    while (line[at] === " ") at += 1;
    if (line[at] === '"') {
      let cell = "";
      at += 1;
      while (line[at] !== '"' || line[at + 1] === '"') {
        if (at >= line.length) return undefined;
        cell += line[at];
        at += line[at] === '"' ? 2 : 1;
      }
      cells.push(cell.trim());
      at = line.indexOf(separator, at + 1);
    } else {
      const end = line.indexOf(separator, at);
      cells.push(line.slice(at, end < 0 ? undefined : end).trim());
      at = end;
    }
    if (at < 0) return cells;
    at += 1;
  }
};

const readLine = (content: string): Omit<Entry, "line"> => {
  const words = content
    .replace(/\s#.*$/, "")
    .trim()
    .split(/\s+/);
  const [first = "", second] = words;
  if (words.length > 2)
    return { problem: "A line is `user@host:port` or `name user@host:port`; this one has more words." };
  if (second === undefined && /[,;]/.test(first))
    return {
      problem: "A list with columns needs a first line that names them, such as name,host,port,user.",
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
  if (rest.includes("[") || rest.includes("]")) return { problem: "A bracket has no partner." };
  if (isIPv6(rest)) return readTarget(rest, "", user);
  const parts = rest.split(":");
  if (parts.length > 2) return { problem: "An IPv6 address stands in brackets: [fe80::1]:22." };
  if (parts[0] === "") return { problem: "The host is missing." };
  return readTarget(parts[0]!, parts[1] ?? "", user, parts[1] === "");
};

const readTarget = (
  host: string,
  port: string,
  user: string,
  isPortMissing = false,
): Pick<Entry, "target" | "problem"> => {
  // A leading dash would be an option to any program that is handed the name.
  if (!isIPv6(host) && !/^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u.test(host))
    return { problem: `“${shown(host)}” is not a host name.` };
  if (
    isPortMissing ||
    (port !== "" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
  )
    return { problem: `“${shown(port)}” is not a port: a number from 1 to 65535.` };
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

/** Names of the user's come first, so that a name made from a host never takes one of them. */
const nameAll = (entries: readonly Entry[]): ListedBoard[] => {
  const names = new Map<string, number>();
  const addresses = new Map<string, number>();
  const checked = entries.map((entry): Entry => {
    if (entry.target === undefined) return entry;
    const address = addressKey(entry.target);
    const twin = addresses.get(address);
    if (twin !== undefined) return { ...entry, problem: `Line ${twin} is the same board.` };
    addresses.set(address, entry.line);
    if (entry.name === undefined) return entry;
    if (!boardName.safeParse(entry.name).success)
      return {
        ...entry,
        problem: `“${shown(entry.name)}” is no name for a board: letters, digits and dashes, 41 at most.`,
      };
    const namesake = names.get(entry.name.toLowerCase());
    if (namesake !== undefined) return { ...entry, problem: `Line ${namesake} has the same name.` };
    names.set(entry.name.toLowerCase(), entry.line);
    return entry;
  });
  return checked.map((entry) => {
    if (entry.problem !== undefined || entry.target === undefined || entry.name !== undefined) return entry;
    const name = freeName(entry.target.host, names);
    names.set(name.toLowerCase(), entry.line);
    return { ...entry, name };
  });
};

/** "pi4.local" → "pi4"; "10.0.0.7" → "10-0-0-7"; taken already: "pi4-2". */
const freeName = (host: string, taken: ReadonlyMap<string, number>): string => {
  const isAddress = /^[\d.]+$/.test(host) || isIPv6(host);
  const label = isAddress ? host.replace(/%.*$/, "") : (host.split(".")[0] ?? "");
  const plain = label
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, LONGEST_NAME);
  const base = plain || "board";
  if (!taken.has(base.toLowerCase())) return base;
  for (let i = 2; ; i += 1) {
    const ending = `-${i}`;
    const name = base.slice(0, LONGEST_NAME - ending.length) + ending;
    if (!taken.has(name.toLowerCase())) return name;
  }
};

const addressKey = ({ host, port = DEFAULT_PORT, user = "" }: BoardTarget): string =>
  JSON.stringify([host.toLowerCase(), port, user]);

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
