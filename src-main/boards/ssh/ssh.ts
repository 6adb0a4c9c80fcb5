import { existsSync } from "node:fs";
import type { BoardTarget, HostKey, Reached, SignIn, SshEntry } from "#contract/boards.ts";
import { createSlots } from "#contract/slots.ts";
import { BoardError, type SshConnection } from "#main/boards/board-ports.ts";
import { countAgentKeys } from "./agent.ts";
import { createConnection } from "./connection.ts";
import { enterHost } from "./enter-host.ts";
import { plainKey, type ShownKey } from "./host-key.ts";
import { createHostTrust } from "./host-trust.ts";
import { channelTo, explain } from "./jump.ts";
import type { Known, KnownHosts } from "./known-hosts.ts";
import type { LabKey } from "./lab-key.ts";
import { endClient, type OpenedClient } from "./open-client.ts";
import { type Hop, revokedKey, signInText } from "./problems.ts";
import { jumpProofs, proofsFor } from "./proofs.ts";
import { readHostKey, type WayThere } from "./read-host-key.ts";
import { type ConfiguredHop, createUserConfig } from "./user-config.ts";

export interface SshDeps {
  readonly knownHosts: KnownHosts;
  readonly labKey: Pick<LabKey, "privateKey" | "exists">;
  /** Default: ~/.ssh/config. The user's own known_hosts and keys are looked for beside it. */
  readonly configPath?: string;
  /** SSH_AUTH_SOCK */
  readonly agentSocket?: string;
}

/** A key exchange takes some milliseconds of this thread, which has more to do than to connect. */
const KEY_EXCHANGES_AT_ONCE = 3;
const JUMP_SIGN_IN = "every key that this computer has for it";

export type Ssh = ReturnType<typeof createSsh>;

/** SSH as the lab uses it: the host is always identified before anything is sent. */
export const createSsh = (deps: SshDeps) => {
  const { knownHosts, labKey, agentSocket } = deps;
  const config = createUserConfig(deps.configPath);
  const trust = createHostTrust({ knownHosts, userKnownHosts: config.knownHosts });
  const keyExchanges = createSlots(KEY_EXCHANGES_AT_ONCE);

  /** The way to a host: through the last of those that were entered. */
  const wayTo = (hop: Hop, entered: readonly OpenedClient[], signal: AbortSignal | undefined): WayThere => {
    const before = entered.at(-1);
    return {
      keyExchanges,
      through: async () => (before === undefined ? undefined : await channelTo(before, hop)),
      signal,
    };
  };

  /** Signs in at the next host on the way, and adds it to those that were entered. */
  const enterJump = async (
    hop: ConfiguredHop,
    entered: OpenedClient[],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const wanted = await trust.expected(hop);
    const proofs = wanted.keys.length === 0 ? [] : await jumpProofs(hop, { agentSocket, labKey, config });
    const entry = { hop, wanted, proofs, signInText: JUMP_SIGN_IN, isJump: true };
    entered.push(await enterHost(entry, wayTo(hop, entered, signal), trust));
  };

  const reachedAt = async (
    hop: ConfiguredHop,
    isJump: boolean,
    key: ShownKey,
    { keys, revoked }: Known,
  ): Promise<Reached> => {
    if (revoked.includes(key.fingerprint)) throw new BoardError(revokedKey(hop, plainKey(key)));
    trust.remember(hop, key);
    const isKnown = keys.some(({ fingerprint }) => fingerprint === key.fingerprint);
    const files = new Set([...hop.identityFiles, ...config.defaultKeys]);
    return {
      trust: isKnown ? "known" : keys.length === 0 ? "new" : "changed",
      host: hop.host,
      port: hop.port,
      isJump,
      key: plainKey(key),
      ...(keys.length === 0 ? {} : { known: keys.map(plainKey) }),
      user: hop.user,
      ways: {
        agent: await hasAgentKeys(agentSocket),
        keys: [...files].filter((file) => existsSync(file)),
        labKey: await labKey.exists(),
      },
    };
  };

  return {
    /**
     * Who answers at an address. Nothing is sent there but what every SSH client says first; through jump hosts
     * that are trusted already, it signs in with this computer's keys.
     * @throws BoardError
     */
    async reach(target: BoardTarget, signal?: AbortSignal): Promise<Reached> {
      const { board, jumps } = await config.route(target);
      const entered: OpenedClient[] = [];
      try {
        for (const hop of [...jumps, board]) {
          const isJump = hop !== board;
          const known = await trust.expected(hop);
          const way = wayTo(hop, entered, signal);
          const key = await readHostKey(hop, known.keys, way).catch((error: unknown) => {
            throw explain(hop, error, undefined, isJump);
          });
          const reached = await reachedAt(hop, isJump, key, known);
          if (!isJump || reached.trust !== "known") return reached;
          await enterJump(hop, entered, signal);
        }
        throw new Error("a route without a board");
      } finally {
        for (const jump of entered.reverse()) endClient(jump);
      }
    },

    /**
     * Signs in at a board whose key is `pinned`; default: one that is known. The connection says which it was.
     * @throws BoardError; "host-key-new" where no key is known: nothing was sent, and the key may be trusted now
     */
    async connect(
      target: BoardTarget,
      signIn: SignIn,
      options: { readonly pinned?: HostKey; readonly signal?: AbortSignal } = {},
    ): Promise<SshConnection> {
      const { pinned, signal } = options;
      const { board: hop, jumps } = await config.route(target);
      const proofs = await proofsFor(signIn, hop.user, { agentSocket, labKey });
      const entered: OpenedClient[] = [];
      try {
        for (const jump of jumps) await enterJump(jump, entered, signal);
        const { keys, revoked } = await trust.expected(hop);
        const wanted = { keys: pinned === undefined ? keys : [pinned], revoked };
        const entry = { hop, wanted, proofs, signInText: signInText(signIn), isJump: false };
        return createConnection(await enterHost(entry, wayTo(hop, entered, signal), trust), entered);
      } catch (error) {
        for (const jump of entered.reverse()) endClient(jump);
        throw error;
      }
    },

    entries: (): Promise<SshEntry[]> => config.entries(),
    trust: trust.trust,
    replace: trust.replace,

    /** Where a target is, with what the configuration says. */
    async addressOf(target: BoardTarget): Promise<Hop> {
      const { host, port, user } = (await config.route(target)).board;
      return { host, port, user };
    },
  };
};

const hasAgentKeys = async (socket: string | undefined): Promise<boolean> => {
  if (socket === undefined || socket === "") return false;
  return (await countAgentKeys(socket).catch(() => 0)) > 0;
};
