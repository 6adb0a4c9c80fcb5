import { glob, readFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import SshConfig from "ssh-config";
import type { BoardTarget, SshEntry } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import type { Hop } from "./problems.ts";

/** A host as the user's own ~/.ssh/config describes it. */
export interface ConfiguredHop extends Hop {
  /** Key files that the configuration names for it, as absolute paths. */
  readonly identityFiles: readonly string[];
}

export interface Route {
  readonly board: ConfiguredHop;
  /** The hosts to go through, the first one first. */
  readonly jumps: readonly ConfiguredHop[];
}

export interface UserConfig {
  route(target: BoardTarget): Promise<Route>;
  entries(): Promise<SshEntry[]>;
  /** The user's own known_hosts, beside the configuration. */
  readonly knownHosts: string;
  /** Key files that ssh tries where nothing is configured. */
  readonly defaultKeys: readonly string[];
}

const MAX_INCLUDES = 16;
const MAX_JUMPS = 8;
const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

const asText = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

const localUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? "root"; // no entry in the user database, as in some containers
  }
};

/** "user@host:port", "[::1]:22", "ssh://user@host:port" */
export const readDestination = (text: string): BoardTarget => {
  const plain = text
    .trim()
    .replace(/^ssh:\/\//, "")
    .replace(/\/$/, "");
  const at = plain.lastIndexOf("@");
  const user = at < 0 ? undefined : plain.slice(0, at);
  const rest = plain.slice(at + 1);
  const [, bracketed, bracketPort] = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest) ?? [];
  const [, named, namedPort] = /^([^:]+)(?::(\d+))?$/.exec(rest) ?? [];
  const port = bracketPort ?? namedPort;
  return {
    host: bracketed ?? named ?? rest,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
  };
};

const badConfig = (path: string, cause: string, error?: unknown): BoardError =>
  new BoardError(
    {
      code: "bad-configuration",
      title: `${path} cannot be used`,
      cause,
      next: "Fix it there, or enter the address, port and user here.",
      ...(error instanceof Error ? { raw: error.message } : {}),
    },
    { cause: error },
  );

/**
 * Puts included files where they are included. An Include inside a Host block applies to hosts outside of it too
 * where the included file has Host blocks of its own; elsewhere it is as OpenSSH reads it.
 */
const readWithIncludes = async (path: string, home: string, depth = 0): Promise<string> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (depth > 0 || (error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw badConfig(path, "The file exists but cannot be read.", error);
  }
  const lines: string[] = [];
  let block: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(host|match)[\s=]/i.test(line)) block = line;
    const [, patterns] = /^\s*include[\s=]+(.+?)\s*$/i.exec(line) ?? [];
    // A question to the name server at every look into the configuration would hold everything up.
    if (/^\s*canonicali[sz]e/i.test(line)) continue;
    if (patterns === undefined) {
      lines.push(line);
      continue;
    }
    if (depth >= MAX_INCLUDES) throw badConfig(path, `More than ${MAX_INCLUDES} files include each other.`);
    for (const [, quoted, bare] of patterns.matchAll(/"([^"]+)"|(\S+)/g)) {
      const pattern = (quoted ?? bare!).replace(/^~(?=\/)/, home);
      const absolute = isAbsolute(pattern) ? pattern : join(home, ".ssh", pattern);
      const files: string[] = [];
      for await (const file of glob(absolute)) files.push(file);
      for (const file of files.sort()) {
        lines.push(await readWithIncludes(file, home, depth + 1));
        if (block !== undefined) lines.push(block);
      }
    }
  }
  return lines.join("\n");
};

/** The user's own configuration, read again for each question: it may be edited at any time. Never written. */
export const createUserConfig = (
  path = join(homedir(), ".ssh", "config"),
  home = dirname(dirname(path)),
): UserConfig => {
  const read = async (): Promise<SshConfig> => {
    const text = await readWithIncludes(path, home);
    try {
      return SshConfig.parse(text);
    } catch (error) {
      throw badConfig(path, "It is not a valid OpenSSH configuration.", error);
    }
  };

  const describe = (config: SshConfig, target: BoardTarget) => {
    const found = config.compute(
      { Host: target.host, ...(target.user === undefined ? {} : { User: target.user }) },
      // A command of the configuration is not run just to look something up.
      { ignoreCase: true, matchExec: false },
    );
    const host = (asText(found.hostname) ?? target.host)
      .replaceAll("%%", "\0")
      .replaceAll("%h", target.host)
      .replaceAll("\0", "%");
    const port = target.port ?? Number(asText(found.port) ?? 22);
    const user = target.user ?? asText(found.user) ?? localUser();
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw badConfig(path, `The port of ${target.host} is ${asText(found.port)}.`);
    }
    const tokens: Readonly<Record<string, string>> = {
      "%": "%",
      d: home,
      h: host,
      n: target.host,
      p: String(port),
      r: user,
      u: localUser(),
    };
    const files = found.identityfile ?? [];
    const identityFiles = (Array.isArray(files) ? files : [files])
      .filter((file) => file !== "none")
      .map((file) => {
        const expanded = file
          .replace(/^~(?=\/)/, home)
          .replaceAll(/%(.)/g, (all, token: string) => tokens[token] ?? all);
        return isAbsolute(expanded) ? expanded : join(home, expanded);
      });
    const jump = asText(found.proxyjump);
    const command = asText(found.proxycommand);
    return {
      hop: { host, port, user, identityFiles },
      jump: jump === undefined || jump === "none" ? undefined : jump,
      command: command === undefined || command === "none" ? undefined : command,
    };
  };

  const route = (config: SshConfig, target: BoardTarget, seen: readonly string[]): Route => {
    const { hop, jump, command } = describe(config, target);
    if (jump === undefined) {
      if (command !== undefined) {
        throw new BoardError({
          code: "bad-configuration",
          title: `${target.host} is reached through a command`,
          cause: `${path} has a ProxyCommand for it, which the lab does not run.`,
          next: "Use ProxyJump there instead, or enter the address of the board itself.",
          raw: `ProxyCommand ${command}`,
          actions: [{ do: "edit-target", label: "Change the address" }],
        });
      }
      return { board: hop, jumps: [] };
    }
    if (seen.includes(target.host) || seen.length >= MAX_JUMPS) {
      throw badConfig(path, `The jump hosts of ${seen[0] ?? target.host} form a circle.`);
    }
    const stops = jump.split(",").map(readDestination);
    // The configuration of the first host says how that one is reached; the others are reached through it.
    const first = route(config, stops[0]!, [...seen, target.host]);
    const others = stops.slice(1).map((stop) => describe(config, stop).hop);
    return { board: hop, jumps: [...first.jumps, first.board, ...others] };
  };

  return {
    knownHosts: join(dirname(path), "known_hosts"),
    defaultKeys: DEFAULT_KEYS.map((name) => join(dirname(path), name)),
    route: async (target) => route(await read(), target, []),
    async entries() {
      const config = await read();
      const aliases = new Set<string>();
      for (const line of config) {
        if (!("param" in line) || !/^host$/i.test(line.param)) continue;
        const names = Array.isArray(line.value) ? line.value.map(({ val }) => val) : line.value.split(/\s+/);
        for (const name of names) if (!/[*?!]/.test(name) && name !== "") aliases.add(name);
      }
      return [...aliases].map((alias) => {
        const { hop, jump } = describe(config, { host: alias });
        const named = asText(config.compute(alias, { ignoreCase: true, matchExec: false }).user);
        return {
          alias,
          host: hop.host,
          port: hop.port,
          ...(named === undefined ? {} : { user: named }),
          ...(jump === undefined ? {} : { jump }),
        };
      });
    },
  };
};
