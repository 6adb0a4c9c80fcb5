import { createHmac } from "node:crypto";
import type { HostKey } from "#contract/boards.ts";
import { type ShownKey, shownKeyOf } from "./host-key.ts";
import { readPrivately, writePrivately } from "./private-file.ts";

/** What the lab's own file says of a host. */
export interface KnownHosts {
  lookup(host: string, port: number): Promise<Known>;
  /** Adds a key of the host; earlier ones stay. */
  add(host: string, port: number, key: ShownKey): Promise<void>;
  /** Accepts only this key from now on. */
  replace(host: string, port: number, key: ShownKey): Promise<void>;
}

export interface Known {
  readonly keys: readonly HostKey[];
  /** Fingerprints of keys that must never be accepted. */
  readonly revoked: readonly string[];
}

interface Line {
  readonly text: string;
  readonly marker?: string;
  readonly names?: string;
  readonly key?: ShownKey;
}

/** As known_hosts names it: the port only where it is not 22. */
export const nameOf = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;

const readLine = (text: string): Line => {
  const words = text.trim().split(/[ \t]+/);
  if (words[0] === "" || words[0]?.startsWith("#")) return { text };
  const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
  const [names, type, base64] = words;
  if (names === undefined || type === undefined || base64 === undefined) return { text };
  const key = shownKeyOf(Buffer.from(base64, "base64"));
  // A damaged line is not a reason to trust, nor to be alarmed.
  if (key.type !== type) return { text };
  return { text, names, key, ...(marker === undefined ? {} : { marker }) };
};

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .toLowerCase()
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );

/** Whether the names of a line (a list of patterns, or one hashed name) are this host's. */
const namesMatch = (names: string, name: string): boolean => {
  if (names.startsWith("|1|")) {
    const [, , salt, hash] = names.split("|");
    if (salt === undefined || hash === undefined) return false;
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  let matches = false;
  for (const pattern of names.split(",")) {
    if (pattern.startsWith("!")) {
      if (patternOf(pattern.slice(1)).test(name)) return false;
    } else if (patternOf(pattern).test(name)) matches = true;
  }
  return matches;
};

const linesOf = (text: string | undefined): Line[] => {
  const lines = (text ?? "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map(readLine);
};

/** What a known_hosts file says of a host; a file that is not there says nothing. */
export const lookUpIn = (text: string | undefined, host: string, port: number): Known => {
  const keys: HostKey[] = [];
  const revoked: string[] = [];
  for (const { marker, names, key } of linesOf(text)) {
    if (names === undefined || key === undefined || !namesMatch(names, nameOf(host, port))) continue;
    const { type, fingerprint } = key;
    if (marker === "@revoked") revoked.push(fingerprint);
    // Certificate authorities are skipped: ssh2 does not know host certificates.
    else if (marker === undefined) keys.push({ type, fingerprint });
  }
  return { keys: keys.filter(({ fingerprint }) => !revoked.includes(fingerprint)), revoked };
};

/** The lab's own known_hosts, in OpenSSH's format. Read for each question: the user may edit it. */
export const openKnownHosts = (path: string): KnownHosts => {
  let last: Promise<void> = Promise.resolve();
  const change = (edit: (lines: Line[]) => readonly string[]): Promise<void> => {
    const next = last.then(async () => {
      const lines = edit(linesOf(await readPrivately(path)));
      await writePrivately(path, lines.map((line) => `${line}\n`).join(""));
    });
    last = next.catch(() => {});
    return next;
  };
  const lineFor = (host: string, port: number, { type, bytes }: ShownKey): string =>
    `${nameOf(host, port)} ${type} ${bytes.toString("base64")}`;
  return {
    lookup: async (host, port) => lookUpIn(await readPrivately(path), host, port),
    add: (host, port, key) =>
      change((lines) => {
        const texts = lines.map(({ text }) => text);
        const line = lineFor(host, port, key);
        return texts.includes(line) ? texts : [...texts, line];
      }),
    replace: (host, port, key) =>
      change((lines) => [
        ...lines
          .filter(
            ({ marker, names }) =>
              marker !== undefined || names === undefined || !namesMatch(names, nameOf(host, port)),
          )
          .map(({ text }) => text),
        lineFor(host, port, key),
      ]),
  };
};
