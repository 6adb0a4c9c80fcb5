import type { BoardProblem, HostKey, SignIn } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";

/** Everything that can go wrong on the way to a board and at its door, in plain words. */

/** Whom one speaks with. */
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
  /** A TCP connection came about. */
  readonly connected: boolean;
  /** Something was sent to us. */
  readonly heard: boolean;
  /** It called itself an SSH server. */
  readonly spoke: boolean;
  /** Both sides have agreed on keys: it is an SSH server, and the one that was expected. */
  readonly secured: boolean;
  /** The ways to sign in that the server takes, once it has said so. */
  readonly methods?: readonly string[];
  /** Questions of the server that were not for the password. */
  readonly asked?: readonly string[];
  /** The first of two proofs was taken. */
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
  "keyboard-interactive": "an answer to its questions",
  publickey: "a key",
};

/** How one tried to sign in, as it reads in a sentence. */
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
    ...(partial === true ? ["It wants a second proof after the first, which the lab cannot give."] : []),
    ...(asked.length === 0 ? [] : [`It asked: ${asked.join(" ")}`]),
    ...(takes.length === 0 ? [] : [`It takes ${takes.join(" or ")}.`]),
    ...(/too many/i.test(error.message) ? ["The agent offered more keys than it looks at."] : []),
  ];
  return {
    code: "sign-in-refused",
    title: `${hop.host} refused to let ${hop.user} in`,
    cause: [`${way[0]!.toUpperCase()}${way.slice(1)} was not accepted for ${hop.user}.`, ...more].join(" "),
    next: "Check the user name, or sign in another way.",
    raw: error.message,
    actions: [signInAgain, editTarget],
  };
};

/** Why no connection came about. `way` is missing where nothing was to be signed in with. */
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
      next: `Check the spelling, try ${hop.host.includes(".") ? "the address" : `${hop.host}.local or the address`} instead, or look whether this computer is in the same network.`,
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
      cause: "It is off, or in another network, or a firewall is in between.",
      next: "Look whether it is on and in the same network as this computer.",
      raw,
      actions: [retry, editTarget],
    };
  }
  if (code === "ETIMEDOUT" || error.level === "client-timeout") {
    return {
      code: "no-answer",
      title: `${hop.host} does not answer`,
      cause: !connected
        ? `No answer came from ${where}. It is off, in another network, or a firewall is in between.`
        : spoke
          ? `${where} began to answer and then fell silent.`
          : `${where} takes the connection but says nothing: it is very busy, or no SSH server is there.`,
      next: "Look whether it is on and in the same network as this computer.",
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
      cause: `${where} closed it before ${hop.user} was let in. It may be starting up or shutting down.`,
      next: "Try again in a moment.",
      raw,
      actions: [retry, signInAgain],
    };
  }
  if (/no matching/i.test(raw)) {
    return {
      code: "not-ssh",
      title: `${hop.host} speaks only methods that are not safe any more`,
      cause: `The SSH server at ${where} and the lab have no method in common.`,
      next: "Update the SSH server there.",
      raw,
      actions: [editTarget, retry],
    };
  }
  return {
    code: "not-ssh",
    title: spoke ? `The SSH server at ${where} ended the connection` : `No SSH server speaks at ${where}`,
    cause: spoke
      ? "It ended the connection before both had agreed on keys: it may be starting up, or have too many visitors."
      : heard
        ? "Something else answers on this port."
        : "The connection was taken and ended at once: another service, or an SSH server with too many visitors.",
    next: "Check the port, then try again.",
    raw,
    actions: [editTarget, retry],
  };
};

/** What to type on the board to see its own fingerprint. */
export const checkCommands = (type: string): string[] => {
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
  title: `This is not the ${at.host} that is known`,
  cause: `${hostText(at)} shows the key ${keysText([shown])}, but ${keysText(known)} is known. It was set up anew, or somebody is in between. Nothing was sent to it.`,
  next: "Compare the fingerprint on the machine itself. Only if it was set up anew, replace the key in its settings.",
  actions: [{ do: "show-commands", label: "How to check", commands: checkCommands(shown.type) }],
});

export const newKey = (at: Pick<Hop, "host" | "port">, shown: HostKey, isJump: boolean): BoardProblem => ({
  code: "host-key-new",
  title: `Nobody has looked at the key of ${at.host} yet`,
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
      cause: "It was stopped before it was done.",
      next: "Start it again when you like.",
    },
    { cause },
  );

/** The connection was there and is gone. `ours`: the lab ended it. */
export const lostProblem = (
  hop: Hop,
  error: (Error & { level?: unknown }) | undefined,
  ours: boolean,
): BoardProblem => ({
  code: "connection-lost",
  title: `The connection to ${hop.host} is gone`,
  cause: ours
    ? "The lab ended it."
    : error === undefined
      ? "Its SSH server ended it: it was restarted, or the board shuts down."
      : error.level === "client-timeout"
        ? "It did not answer any more: it is off, or the network is gone."
        : "It broke: the board was restarted, or the network changed.",
  next: "The lab connects again by itself; if it cannot, look whether the board is on and in the network.",
  ...(error === undefined ? {} : { raw: error.message }),
  actions: [retry],
});
