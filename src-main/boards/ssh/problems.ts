import type { BoardProblem, HostKey, SignIn } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";

/** What can go wrong on the way to a board and while signing in, in plain words. */

/** A host, and the user to sign in as. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

export const hostText = ({ host, port }: Pick<Hop, "host" | "port">): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** What an attempt saw before it failed. */
export interface Attempt {
  readonly error: Error & { readonly code?: unknown; readonly level?: unknown };
  /** A TCP connection was made. */
  readonly connected: boolean;
  /** Something was sent to us. */
  readonly heard: boolean;
  /** It called itself an SSH server. */
  readonly spoke: boolean;
  /** Both sides have agreed on keys: it is an SSH server, and the one that was expected. */
  readonly secured: boolean;
  /** The sign-in methods that the server accepts, once it has named them. */
  readonly methods?: readonly string[];
  /** Questions of the server that were not for the password. */
  readonly asked?: readonly string[];
  /** The first of two proofs was accepted. */
  readonly partial?: boolean;
}

const retry = { do: "retry", label: "Try again" } as const;
const editTarget = { do: "edit-target", label: "Change the address" } as const;
const signInAgain = { do: "sign-in", label: "Sign in another way" } as const;
const TURN_ON_SSH = ["sudo systemctl enable --now ssh"];

const UNREACHABLE = ["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "EADDRNOTAVAIL"];
const UNKNOWN_NAME = ["ENOTFOUND", "EAI_AGAIN", "EAI_NONAME", "ENODATA"];

const WAYS: Readonly<Record<string, string>> = {
  password: "a password",
  "keyboard-interactive": "answers to its questions",
  publickey: "a key",
};

/** How one tried to sign in, for a sentence. */
export const signInText = (signIn: SignIn): string => {
  switch (signIn.kind) {
    case "password":
      return "this password";
    case "key":
      return `the key ${signIn.path}`;
    case "agent":
      return "the keys of the agent";
    case "lab-key":
      return "the lab's own key";
  }
};

const refusedSignIn = (hop: Hop, way: string, attempt: Attempt): BoardProblem => {
  const { error, methods = [], asked = [], partial } = attempt;
  const takes = methods.map((method) => WAYS[method]).filter((text) => text !== undefined);
  const more = [
    ...(partial === true ? ["It asks for a second factor, which the lab cannot provide."] : []),
    ...(asked.length === 0 ? [] : [`It asked: ${asked.join(" ")}`]),
    ...(takes.length === 0 ? [] : [`It accepts ${takes.join(" or ")}.`]),
    ...(/too many/i.test(error.message) ? ["The agent offered more keys than the server tries."] : []),
  ];
  return {
    code: "sign-in-refused",
    title: `${hop.host} rejected the login for ${hop.user}`,
    cause: [`${way[0]!.toUpperCase()}${way.slice(1)} was not accepted for ${hop.user}.`, ...more].join(" "),
    next: "Check the user name, or sign in another way.",
    raw: error.message,
    actions: [signInAgain, editTarget],
  };
};

/** Why no connection was made. `way`: how one tried to sign in, where one did. */
export const connectProblem = (hop: Hop, attempt: Attempt, way = "this"): BoardProblem => {
  const { error, connected, heard, spoke, secured } = attempt;
  const code = typeof error.code === "string" ? error.code : "";
  const raw = error.message;
  const where = hostText(hop);
  if (UNKNOWN_NAME.includes(code)) {
    return {
      code: "name-unknown",
      title: `No computer called ${hop.host} was found`,
      cause: "The name has no address in this network.",
      next: `Check the spelling, try ${hop.host.includes(".") ? "the address" : `${hop.host}.local or the address`} instead, or check that this computer is in the same network.`,
      raw,
      actions: [editTarget, retry],
    };
  }
  if (code === "ECONNREFUSED") {
    return {
      code: "refused",
      title: `Nothing answers on port ${hop.port} of ${hop.host}`,
      cause: "The computer is there, but its SSH server is off or listens on another port.",
      next: "Turn SSH on there, or change the port.",
      raw,
      actions: [
        { do: "show-commands", label: "Show how to turn SSH on", commands: TURN_ON_SSH },
        editTarget,
        retry,
      ],
    };
  }
  if (UNREACHABLE.includes(code)) {
    return {
      code: "unreachable",
      title: `${hop.host} cannot be reached`,
      cause: "It is off, in another network, or behind a firewall.",
      next: "Check that it is on and in the same network as this computer.",
      raw,
      actions: [retry, editTarget],
    };
  }
  if (code === "ETIMEDOUT" || error.level === "client-timeout") {
    return {
      code: "no-answer",
      title: `${hop.host} does not answer`,
      cause: !connected
        ? `No answer came from ${where}. It is off, in another network, or behind a firewall.`
        : spoke
          ? `${where} began to answer and then fell silent.`
          : `${where} accepts the connection but says nothing. It is very busy, or there is no SSH server.`,
      next: "Check that it is on and in the same network as this computer.",
      raw,
      actions: [retry, editTarget],
    };
  }
  if (secured && (error.level === "client-authentication" || /too many authentication/i.test(raw))) {
    return refusedSignIn(hop, way, attempt);
  }
  if (secured) {
    return {
      code: "connection-lost",
      title: `${hop.host} ended the connection while signing in`,
      cause: `${where} closed it before ${hop.user} was signed in. It may be starting up or shutting down.`,
      next: "Try again in a moment.",
      raw,
      actions: [retry, signInAgain],
    };
  }
  if (/no matching/i.test(raw)) {
    return {
      code: "not-ssh",
      title: `${hop.host} offers only outdated encryption`,
      cause: `The SSH server at ${where} and the lab have no secure method in common.`,
      next: "Update the SSH server there.",
      raw,
      actions: [editTarget, retry],
    };
  }
  return {
    code: "not-ssh",
    title: spoke ? `The SSH server at ${where} ended the connection` : `No SSH server answers at ${where}`,
    cause: spoke
      ? "It ended the connection before the key exchange was complete. It may be starting up, or have too many connections."
      : heard
        ? "Something else answers on this port."
        : "The connection was accepted and closed at once, by another service or by an SSH server with too many connections.",
    next: "Check the port, then try again.",
    raw,
    actions: [editTarget, retry],
  };
};

/** What to type on the board to see its own fingerprint. */
const checkCommands = (type: string): string[] => {
  const kind = /ed25519|ecdsa|rsa/.exec(type)?.[0] ?? "ed25519";
  return [`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub`];
};

const keysText = (keys: readonly HostKey[]): string =>
  keys.map(({ type, fingerprint }) => `${fingerprint} (${type})`).join(", ");

export const changedKey = (
  at: Pick<Hop, "host" | "port">,
  shown: HostKey,
  known: readonly HostKey[],
): BoardProblem => ({
  code: "host-key-changed",
  title: `${at.host} shows a different key`,
  cause: `${hostText(at)} shows the key ${keysText([shown])}, but the known key is ${keysText(known)}. The machine was reinstalled, or somebody intercepts the connection. Nothing was sent to it.`,
  next: "Compare the fingerprint on the machine itself. Replace the key in its settings only if it was reinstalled.",
  actions: [{ do: "show-commands", label: "How to check", commands: checkCommands(shown.type) }],
});

export const newKey = (at: Pick<Hop, "host" | "port">, shown: HostKey, isJump: boolean): BoardProblem => ({
  code: "host-key-new",
  title: `The key of ${at.host} is not trusted yet`,
  cause: `${hostText(at)}${isJump ? ", on the way to the board," : ""} shows ${keysText([shown])}. Nothing was sent to it.`,
  next: "Compare the fingerprint with the one on the machine, then trust it.",
  actions: [{ do: "show-commands", label: "How to check", commands: checkCommands(shown.type) }],
});

export const revokedKey = (at: Pick<Hop, "host" | "port">, shown: HostKey): BoardProblem => ({
  code: "host-key-revoked",
  title: `The key of ${at.host} was revoked`,
  cause: `${hostText(at)} shows ${keysText([shown])}, which known_hosts lists as @revoked: somebody else may have it.`,
  next: "Give the machine new host keys before you use it.",
});

export const cancelled = (cause?: unknown): BoardError =>
  new BoardError(
    {
      code: "cancelled",
      title: "Cancelled",
      cause: "It was stopped before it was complete.",
      next: "Start it again when you like.",
    },
    { cause },
  );

/** An open connection ended. `ours`: the lab ended it. */
export const lostProblem = (
  hop: Hop,
  error: (Error & { level?: unknown }) | undefined,
  ours: boolean,
): BoardProblem => ({
  code: "connection-lost",
  title: `The connection to ${hop.host} was lost`,
  cause: ours
    ? "The lab ended it."
    : error === undefined
      ? "Its SSH server ended it: it was restarted, or the board is shutting down."
      : error.level === "client-timeout"
        ? "It stopped answering: it is off, or the network is down."
        : "The connection broke: the board was restarted, or the network changed.",
  next: "The lab reconnects by itself. If it cannot, check that the board is on and in the network.",
  ...(error === undefined ? {} : { raw: error.message }),
  actions: [retry],
});
