import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type AnyAuthMethod, type Client, type ConnectConfig } from "ssh2";
import type { HostKey } from "#contract/boards.ts";
import type { Slots } from "#contract/slots.ts";
import { plainKey, type ShownKey, shownKeyOf, unwantedAlgorithms } from "./host-key.ts";
import { type Attempt, cancelled, type Hop } from "./problems.ts";
import { takeTurn } from "./turns.ts";

/** A way to prove one's identity; of several, each is tried once, in order. */
export type Proof =
  | Exclude<AnyAuthMethod, { readonly type: "keyboard-interactive" }>
  /** The password as the answer to the server's question for it. */
  | { readonly type: "keyboard-interactive"; readonly username: string; readonly password: string };

export interface OpenOptions {
  readonly hop: Hop;
  /** A channel through the previous host; default: a new TCP connection. */
  readonly through?: Duplex;
  /** Only `true` lets the connection continue. */
  readonly verify: (key: ShownKey) => boolean;
  /** Types of the keys that are known; others are not asked for. Default: all. */
  readonly keyTypes?: readonly string[];
  /** None: the host's key is only read. */
  readonly proofs?: readonly Proof[];
  readonly signal?: AbortSignal;
  /** Limits how many key exchanges, which are pure computing, happen at the same time. */
  readonly keyExchanges?: Slots;
}

export interface OpenedClient {
  readonly client: Client;
  readonly socket: Duplex;
  readonly hop: Hop;
  /** The key by which the host proved itself. */
  readonly hostKey: HostKey;
}

/** Why no connection was made, in the words of the machines. */
export class AttemptError extends Error {
  readonly attempt: Attempt;
  constructor(attempt: Attempt) {
    super(attempt.error.message, { cause: attempt.error });
    this.name = "AttemptError";
    this.attempt = attempt;
  }
}

/** From the first word to the end of the handshake and sign-in. */
const READY_MS = 20_000;
/** A host that takes longer to exchange keys does not keep others waiting. */
const EXCHANGE_MS = 1000;
/** Until the TCP connection is accepted. */
const REACH_MS = 10_000;
/** From the first byte to the name of an SSH server. Before it may come a greeting, of this many bytes at most. */
const NAME_MS = 3000;
const GREETING_BYTES = 16 * 1024;
/** A connection is given up after three unanswered keep-alives: it survives an outage of 20 s. */
const KEEPALIVE = { keepaliveInterval: 10_000, keepaliveCountMax: 3 };

const WIRE_NAMES: Readonly<Record<string, string>> = { agent: "publickey" };

/** The answers to what sshd's PAM asks. The password goes to one hidden question, and only once. */
const answerOnce = (password: string, asked: string[]) => {
  let given = false;
  return (prompts: readonly { prompt: string; echo?: boolean }[]): string[] => {
    const only = prompts.length === 1 && prompts[0]!.echo !== true && !given;
    if (only) {
      given = true;
      return [password];
    }
    asked.push(...prompts.map(({ prompt }) => prompt.trim()));
    return prompts.map(() => "");
  };
};

/**
 * The one place where an ssh2 client is made. ssh2 takes every answer of a verifier but a literal `false` for a yes,
 * so the answer is made a boolean here; an emitter without an error handler would end the process, so each has one
 * for all its life.
 * @throws AttemptError; BoardError "cancelled"
 */
export const openClient = (options: OpenOptions): Promise<OpenedClient> => {
  const { hop, proofs = [], signal, keyExchanges } = options;
  if (signal?.aborted) return Promise.reject(cancelled(signal.reason));
  const client: Client = new ssh2.Client();
  const socket: Duplex =
    options.through ?? connect({ host: hop.host, port: hop.port, noDelay: true, keepAlive: true });
  const own = options.through === undefined ? (socket as Socket) : undefined;
  let connected = own === undefined;
  let heard = false;
  let spoke = false;
  let secured = false;
  let partial = false;
  let hostKey: HostKey | undefined;
  /** Aborted when the attempt is settled, either way. */
  const over = new AbortController();
  let methods: readonly string[] | undefined;
  const asked: string[] = [];

  const left = [...proofs];
  let promptedForPassword = false;
  const nextProof = (accepted: readonly string[] | null): AnyAuthMethod | false => {
    for (;;) {
      const proof = left.shift();
      if (proof === undefined) return false;
      // A password that was refused as an answer is not sent a second time: it would count as a second attempt.
      if (proof.type === "password" && promptedForPassword) continue;
      if (accepted !== null && !accepted.includes(WIRE_NAMES[proof.type] ?? proof.type)) continue;
      if (proof.type !== "keyboard-interactive") return proof;
      const answer = answerOnce(proof.password, asked);
      return {
        type: "keyboard-interactive",
        username: proof.username,
        prompt: (_name, _instructions, _language, prompts, finish) => {
          promptedForPassword ||= prompts.length > 0;
          finish(answer(prompts));
        },
      };
    }
  };

  const unwanted = unwantedAlgorithms(options.keyTypes);
  const config: ConnectConfig = {
    username: hop.user,
    sock: socket,
    readyTimeout: READY_MS,
    ...KEEPALIVE,
    algorithms: {
      serverHostKey: { remove: unwanted },
      hmac: { remove: ["hmac-sha1-etm@openssh.com", "hmac-sha1"] },
    } as unknown as NonNullable<ConnectConfig["algorithms"]>,
    hostVerifier: (bytes: Buffer, done: (permitted: boolean) => void): void => {
      heard = true;
      spoke = true;
      let permitted = false;
      try {
        const key = shownKeyOf(bytes);
        permitted = options.verify(key) === true;
        if (permitted) hostKey = plainKey(key);
      } finally {
        // The expensive part follows: the signature, the keys, the proof.
        if (permitted && proofs.length > 0)
          void takeTurn(over.signal).then(
            () => done(true),
            () => done(false),
          );
        else done(permitted);
      }
    },
    authHandler: ((accepted: string[] | null, partly: boolean | null, next: (proof: unknown) => void) => {
      secured = true;
      if (accepted !== null) methods = accepted;
      partial ||= partly === true;
      next(nextProof(accepted));
    }) as unknown as NonNullable<ConnectConfig["authHandler"]>,
  };

  return new Promise((resolve, reject) => {
    let settled = false;
    let exchanging: NodeJS.Timeout | undefined;
    let release = (): void => {};
    const endExchange = (): void => {
      clearTimeout(exchanging);
      release();
    };
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      over.abort();
      clearTimeout(tooLate);
      clearTimeout(notSsh);
      signal?.removeEventListener("abort", abort);
      endExchange();
      return true;
    };
    const drop = (): void => {
      client.end();
      socket.destroy();
    };
    const fail = (error: Error): void => {
      if (!settle()) return;
      drop();
      reject(
        new AttemptError({
          error,
          connected,
          heard,
          spoke,
          secured,
          partial,
          asked,
          ...(methods === undefined ? {} : { methods }),
        }),
      );
    };
    const abort = (): void => {
      if (!settle()) return;
      drop();
      reject(cancelled(signal?.reason));
    };
    let notSsh: NodeJS.Timeout | undefined;
    const tooLate = setTimeout(() => {
      if (!connected) fail(Object.assign(new Error("no TCP connection was made"), { code: "ETIMEDOUT" }));
    }, REACH_MS);
    signal?.addEventListener("abort", abort, { once: true });
    let first = "";
    const hear = (chunk: Buffer): void => {
      heard = true;
      first += chunk.toString("latin1");
      spoke = /^SSH-/m.test(first);
      if (spoke || first.length > GREETING_BYTES) own?.off("data", hear);
      // A server may send lines before its name, but does not stop there.
      if (!spoke)
        notSsh ??= setTimeout(
          () => spoke || fail(new Error(`it said: ${first.slice(0, 80).trim()}`)),
          NAME_MS,
        );
    };
    client
      .on("error", (error: Error & { level?: string }) => {
        // A key of the agent that cannot sign: the next one is tried.
        if (error.level === "agent") return;
        fail(error);
      })
      .once("handshake", () => {
        secured = true;
        endExchange();
      })
      .once("close", () => fail(new Error("the other side ended the connection")))
      .on("change password", () => {
        asked.push("for a new password, since this one has expired.");
        fail(Object.assign(new Error("the password has expired"), { level: "client-authentication" }));
      })
      .once("ready", () => {
        if (!settle()) return;
        client.setNoDelay(true);
        if (hostKey !== undefined) resolve({ client, socket, hop, hostKey });
      });
    const begin = async (): Promise<void> => {
      connected = true;
      if (keyExchanges !== undefined) {
        const acquired = await keyExchanges.acquire(over.signal).catch(() => undefined);
        if (acquired === undefined) return;
        release = acquired;
        exchanging = setTimeout(release, EXCHANGE_MS);
        if (settled) return endExchange();
      }
      own?.on("data", hear);
      try {
        client.connect(config);
      } catch (error) {
        fail(error as Error);
      }
    };
    own?.once("error", fail);
    if (own === undefined) void begin();
    else own.once("connect", () => void begin());
  });
};

/** Ends a client at once: what is queued is sent, and no answer is awaited. */
export const endClient = ({ client, socket }: OpenedClient): void => {
  try {
    client.end();
  } catch {
    // its socket is gone already
  }
  if ("destroySoon" in socket) (socket as Socket).destroySoon();
  else socket.destroy();
};
