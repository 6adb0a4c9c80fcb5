import { existsSync } from "node:fs";
import type { BoardTarget, HostKey, Reached, SignIn, SshEntry } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError, type SshConnection } from "#main/boards/board-ports.ts";
import { countAgentKeys } from "./agent.ts";
import { createSlots } from "./commands.ts";
import { createConnection } from "./connection.ts";
import { plainKey, type ShownKey } from "./host-key.ts";
import { channelTo, explain } from "./jump.ts";
import { type KnownHosts, lookUpIn, nameOf } from "./known-hosts.ts";
import type { LabKey } from "./lab-key.ts";
import { AttemptError, endClient, type OpenedClient, openClient, type Proof } from "./open-client.ts";
import { readPrivately } from "./private-file.ts";
import { changedKey, type Hop, newKey, revokedKey, wayText } from "./problems.ts";
import { jumpProofs, proofsFor } from "./proofs.ts";
import { type ConfiguredHop, createUserConfig } from "./user-config.ts";

export interface SshDeps {
  readonly knownHosts: KnownHosts;
  readonly labKey: Pick<LabKey, "privateKey" | "exists">;
  /** Default: ~/.ssh/config. The user's own known_hosts and keys are looked for beside it. */
  readonly configPath?: string;
  /** SSH_AUTH_SOCK */
  readonly agentSocket?: string;
}

/** What is known of a host before it is asked. */
interface Expected {
  readonly keys: readonly HostKey[];
  readonly revoked: readonly string[];
}

/** Agreeing on keys takes some milliseconds of this thread, which has more to do than to connect. */
const AT_ONCE = 3;

export type Ssh = ReturnType<typeof createSsh>;

/** SSH as the lab uses it: who is there is always known before anything is sent. */
export const createSsh = (deps: SshDeps) => {
  const { knownHosts, labKey, agentSocket } = deps;
  const config = createUserConfig(deps.configPath);
  const turns = createSlots(AT_ONCE);
  /** Keys that `reach` has read, which `trust` may take: by name and fingerprint. */
  const shown = new Map<string, ShownKey>();

  const expected = async (hop: Hop): Promise<Expected> => {
    const own = await knownHosts.lookup(hop.host, hop.port);
    const users = lookUpIn(await readPrivately(config.knownHosts).catch(() => undefined), hop.host, hop.port);
    const revoked = [...own.revoked, ...users.revoked];
    // What was trusted here counts for more than what ssh was told at some time.
    const keys = (own.keys.length > 0 ? own.keys : users.keys).filter(
      ({ fingerprint }) => !revoked.includes(fingerprint),
    );
    return { keys, revoked };
  };

  /** Reads a host's key, and ends before anything is sent. Keys that are known are asked for first. */
  const readKey = async (
    hop: Hop,
    keys: readonly HostKey[],
    open: () => Promise<{ readonly through?: OpenedClient["socket"] }>,
    signal?: AbortSignal,
  ): Promise<ShownKey> => {
    const look = async (types: readonly string[] | undefined): Promise<ShownKey> => {
      let key: ShownKey | undefined;
      try {
        const client = await openClient({
          hop,
          turns,
          ...(await open()),
          ...(types === undefined ? {} : { keyTypes: types }),
          ...(signal === undefined ? {} : { signal }),
          verify: (found) => {
            key = found;
            return false;
          },
        });
        endClient(client);
        throw new Error("a host was let in that nobody has verified");
      } catch (error) {
        if (key !== undefined) return key;
        throw error;
      }
    };
    if (keys.length === 0) return await look(undefined);
    try {
      return await look(keys.map(({ type }) => type));
    } catch (error) {
      if (!(error instanceof AttemptError) || !/no matching/i.test(error.message)) throw error;
      return await look(undefined);
    }
  };

  /** Signs in at a host whose key must be one of those that are expected. */
  const enter = async (
    hop: Hop,
    wanted: Expected,
    proofs: readonly Proof[],
    way: string | undefined,
    before: OpenedClient | undefined,
    isJump: boolean,
    signal: AbortSignal | undefined,
  ): Promise<OpenedClient> => {
    let other: ShownKey | undefined;
    const patient = signal === undefined ? {} : { signal };
    const reachIt = async () => (before === undefined ? {} : { through: await channelTo(before, hop) });
    try {
      return await openClient({
        hop,
        turns,
        ...(await reachIt()),
        ...patient,
        proofs,
        ...(wanted.keys.length === 0 ? {} : { keyTypes: wanted.keys.map(({ type }) => type) }),
        verify: (key) => {
          const same = wanted.keys.some(
            ({ type, fingerprint }) => type === key.type && fingerprint === key.fingerprint,
          );
          if (same && !wanted.revoked.includes(key.fingerprint)) return true;
          other = key;
          return false;
        },
      });
    } catch (error) {
      if (
        other === undefined &&
        error instanceof AttemptError &&
        /no matching.*host key/i.test(error.message)
      ) {
        // It has no key of the known types any more: another key of any type is the alarm, so look at it.
        other = await readKey(hop, [], reachIt, signal).catch(() => undefined);
      }
      if (other === undefined) throw explain(hop, error, way, isJump);
      const key = plainKey(other);
      shown.set(`${nameOf(hop.host, hop.port)} ${key.fingerprint}`, other);
      throw new BoardError(
        wanted.revoked.includes(key.fingerprint)
          ? revokedKey(hop, key)
          : wanted.keys.length === 0
            ? newKey(hop, key, isJump)
            : changedKey(hop, key, wanted.keys),
        { cause: error },
      );
    }
  };

  /** Goes through all hosts before the board. @returns those that were entered */
  const enterJumps = async (
    jumps: readonly ConfiguredHop[],
    signal: AbortSignal | undefined,
    entered: OpenedClient[],
  ): Promise<void> => {
    for (const jump of jumps) {
      const wanted = await expected(jump);
      const proofs = wanted.keys.length === 0 ? [] : await jumpProofs(jump, { agentSocket, labKey, config });
      const way = "every key that this computer has for it";
      entered.push(await enter(jump, wanted, proofs, way, entered.at(-1), true, signal));
    }
  };

  const reachedAt = async (
    hop: ConfiguredHop,
    isJump: boolean,
    key: ShownKey,
    { keys, revoked }: Expected,
  ): Promise<Reached> => {
    if (revoked.includes(key.fingerprint)) throw new BoardError(revokedKey(hop, plainKey(key)));
    shown.set(`${nameOf(hop.host, hop.port)} ${key.fingerprint}`, key);
    const known = keys.some(({ fingerprint }) => fingerprint === key.fingerprint);
    const files = [...new Set([...hop.identityFiles, ...config.defaultKeys])].filter((file) =>
      existsSync(file),
    );
    return {
      trust: known ? "known" : keys.length === 0 ? "new" : "changed",
      host: hop.host,
      port: hop.port,
      isJump,
      key: plainKey(key),
      ...(keys.length === 0 ? {} : { known: keys.map(plainKey) }),
      user: hop.user,
      ways: {
        agent: await hasAgentKeys(agentSocket),
        keys: files,
        labKey: await labKey.exists(),
      },
    };
  };

  const seen = (host: string, port: number, fingerprint: string): ShownKey => {
    const key = shown.get(`${nameOf(host, port)} ${fingerprint}`);
    if (key !== undefined) return key;
    throw new UserError(
      `${host}:${port} did not show ${fingerprint} lately: look at it again before you trust it.`,
    );
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
        for (const [at, hop] of [...jumps, board].entries()) {
          const isJump = at < jumps.length;
          const wanted = await expected(hop);
          const before = entered.at(-1);
          const open = async () => (before === undefined ? {} : { through: await channelTo(before, hop) });
          const key = await readKey(hop, wanted.keys, open, signal).catch((error: unknown) => {
            throw explain(hop, error, undefined, isJump);
          });
          const reached = await reachedAt(hop, isJump, key, wanted);
          if (!isJump || reached.trust !== "known") return reached;
          await enterJumps([hop], signal, entered);
        }
        throw new Error("a way without an end");
      } finally {
        for (const jump of entered.reverse()) endClient(jump);
      }
    },

    /**
     * Signs in at a board whose key is `pinned`, or without that one that is known.
     * @throws BoardError
     */
    async connect(
      target: BoardTarget,
      signIn: SignIn,
      options: { readonly pinned?: HostKey; readonly signal?: AbortSignal } = {},
    ): Promise<SshConnection> {
      const { pinned, signal } = options;
      const { board, jumps } = await config.route(target);
      const proofs = await proofsFor(signIn, board.user, { agentSocket, labKey });
      const entered: OpenedClient[] = [];
      try {
        await enterJumps(jumps, signal, entered);
        const { keys, revoked } = await expected(board);
        const wanted = { keys: pinned === undefined ? keys : [pinned], revoked };
        const client = await enter(board, wanted, proofs, wayText(signIn), entered.at(-1), false, signal);
        return createConnection(client, entered);
      } catch (error) {
        for (const jump of entered.reverse()) endClient(jump);
        throw error;
      }
    },

    entries: (): Promise<SshEntry[]> => config.entries(),

    /** Takes a key that `reach` has shown as known, where none is known yet. */
    async trust(host: string, port: number, fingerprint: string): Promise<void> {
      const key = seen(host, port, fingerprint);
      const { keys, revoked } = await expected({ host, port, user: "" });
      if (revoked.includes(fingerprint)) throw new BoardError(revokedKey({ host, port }, key));
      const known = keys.some((one) => one.fingerprint === fingerprint);
      if (keys.length > 0 && !known) throw new BoardError(changedKey({ host, port }, plainKey(key), keys));
      await knownHosts.add(host, port, key);
    },

    /** Takes a key that was shown in the place of all that were known: the machine was set up anew. */
    async replace(host: string, port: number, fingerprint: string): Promise<void> {
      const key = seen(host, port, fingerprint);
      const { revoked } = await expected({ host, port, user: "" });
      if (revoked.includes(fingerprint)) throw new BoardError(revokedKey({ host, port }, key));
      await knownHosts.replace(host, port, key);
    },

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
