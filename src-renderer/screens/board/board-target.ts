import type { BoardTarget, SshEntry } from "#contract/boards.ts";

export type ReadTarget =
  | { readonly ok: true; readonly target: BoardTarget }
  | { readonly ok: false; readonly problem: string };

const PORT = /^\d{1,5}$/;

/** Reads `user@host:port`, `ssh -p 2222 user@host`, `ssh://user@host`, an IPv6 address in brackets or without a port. */
export const readTarget = (text: string): ReadTarget => {
  let rest = text.trim();
  let port: string | undefined;
  if (/^ssh\s/.test(rest)) {
    const [, ...words] = rest.split(/\s+/);
    const at = words.findIndex((word) => word.startsWith("-p"));
    if (at >= 0) {
      const word = words[at] ?? "";
      port = word === "-p" ? words[at + 1] : word.slice(2);
      words.splice(at, word === "-p" ? 2 : 1);
    }
    rest = words.filter((word) => !word.startsWith("-")).join(" ");
  }
  rest = rest.replace(/^ssh:\/\//, "").replace(/\/$/, "");
  if (rest === "") return refused("Enter the board's address: user@host, as for ssh.");
  if (/\s/.test(rest)) return refused("Enter a single address without spaces: user@host or user@host:port.");
  const at = rest.lastIndexOf("@");
  const user = at < 0 ? undefined : rest.slice(0, at);
  let host = at < 0 ? rest : rest.slice(at + 1);
  if (user === "") return refused("The user name before the @ is missing.");
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(host);
  if (bracketed !== null) {
    host = bracketed[1] ?? "";
    port = bracketed[2] ?? port;
  } else if ((host.match(/:/g) ?? []).length === 1) {
    const [name = "", number = ""] = host.split(":");
    host = name;
    port = number;
  }
  if (host === "") return refused("The host name after the @ is missing.");
  if (port !== undefined && (!PORT.test(port) || Number(port) < 1 || Number(port) > 65_535))
    return refused("The port must be a number from 1 to 65535.");
  return {
    ok: true,
    target: {
      host,
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(user === undefined ? {} : { user }),
    },
  };
};

const refused = (problem: string): ReadTarget => ({ ok: false, problem });

export const targetText = ({ host, port, user }: BoardTarget): string =>
  `${user === undefined ? "" : `${user}@`}${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;

/** "pi@10.0.0.7:2222 via gate" */
export const entryText = ({ host, port, user, jump }: SshEntry): string =>
  `${targetText({ host, ...(port === 22 ? {} : { port }), ...(user === undefined ? {} : { user }) })}${jump === undefined ? "" : ` via ${jump}`}`;
