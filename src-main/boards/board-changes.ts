import type { BoardTarget, SignIn } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { type BoardRecord, withoutSecret } from "./board-record.ts";
import type { BoardRegister } from "./board-register.ts";
import { cleanBoard } from "./clean-board.ts";
import { probeBoard } from "./probe/probe-board.ts";
import type { Signing } from "./sign-in.ts";
import type { LabKey } from "./ssh/lab-key.ts";
import type { Ssh } from "./ssh/ssh.ts";

export interface NewBoard {
  readonly name: string;
  readonly target: BoardTarget;
  readonly signIn: SignIn;
  /** Installs the lab's own key there, which signs in from then on. */
  readonly installKey: boolean;
  readonly dataFolder?: string | undefined;
}

export interface BoardChange {
  readonly target?: BoardTarget | undefined;
  readonly signIn?: SignIn | undefined;
  readonly installKey?: boolean | undefined;
  /** null: the lab sends each study's part. */
  readonly dataFolder?: string | null | undefined;
}

export interface BoardChangesDeps {
  readonly register: BoardRegister;
  readonly ssh: Pick<Ssh, "connect" | "reach" | "replace">;
  readonly signing: Signing;
  readonly labKey: Pick<LabKey, "uninstall">;
  readonly records: {
    /** @throws UserError when another board has this name */
    add(record: BoardRecord): void;
    remove(name: string): boolean;
  };
  labId(): string;
  now(): number;
}

/** Puts boards on the list, changes how they are reached, and takes them off. */
export const createBoardChanges = (deps: BoardChangesDeps) => {
  const { register, ssh, signing, records } = deps;

  return {
    /**
     * Signs in once, looks at the board and puts it on the list; the connection stays the board's own.
     * @throws BoardError, among them "host-key-new": nothing was sent then; UserError for a name that is taken
     */
    async add({ name, target, signIn, installKey, dataFolder }: NewBoard): Promise<void> {
      const taken = register.nameLike(name);
      if (taken !== undefined) {
        throw new UserError(`There is a board called ${taken} already. Choose another name.`);
      }
      const connection = await ssh.connect(target, signIn);
      try {
        const facts = await probeBoard(connection);
        const from = installKey ? await signing.installKey(name, connection, signIn) : signIn;
        const record: BoardRecord = {
          name,
          target,
          signIn: withoutSecret(from),
          hostKey: connection.hostKey,
          ...(dataFolder === undefined ? {} : { dataFolder }),
          facts,
          ready: false,
          addedAt: new Date(deps.now()).toISOString(),
        };
        records.add(record);
        await signing.keep(name, from);
        register.add(record).link.adopt(connection);
      } catch (error) {
        connection.end();
        throw error;
      }
      await register.get(name).settled();
    },

    /** A new address or sign-in is tried before it replaces the old one. @throws BoardError */
    async change(name: string, { target, signIn, installKey, dataFolder }: BoardChange): Promise<void> {
      const board = register.get(name);
      if (dataFolder !== undefined) board.setDataFolder(dataFolder);
      if (target === undefined && signIn === undefined) {
        if (dataFolder !== undefined && board.link.connection !== undefined) await board.look();
        return;
      }
      const before = board.record();
      const there = target ?? before.target;
      const used = signIn ?? (await signing.of(before));
      const connection = await ssh.connect(there, used, { pinned: before.hostKey });
      try {
        const from = installKey === true ? await signing.installKey(name, connection, used) : used;
        await signing.keep(name, from);
        board.change({ target: there, signIn: withoutSecret(from) });
        board.link.adopt(connection);
      } catch (error) {
        connection.end();
        throw error;
      }
    },

    /** Takes the key that a board shows now in place of the one that was known. */
    async replaceKey(name: string, fingerprint: string): Promise<void> {
      const board = register.get(name);
      const reached = await ssh.reach(board.record().target);
      if (reached.isJump || reached.key.fingerprint !== fingerprint) {
        throw new UserError(
          `${name} now shows the key ${reached.key.fingerprint}, not ${fingerprint}: look at it again before you accept it.`,
        );
      }
      await ssh.replace(reached.host, reached.port, fingerprint);
      board.change({ hostKey: reached.key });
      board.link.connect();
    },

    /** @returns what could not be removed from the board, in one sentence */
    async remove(name: string, cleanUp: boolean): Promise<string | undefined> {
      const board = register.get(name);
      if (board.client !== undefined) {
        throw new UserError(`${name} takes part in a study that is running: stop the study first.`);
      }
      board.stopProvision();
      const left = cleanUp
        ? await cleanBoard(board, { labId: deps.labId(), labKey: deps.labKey })
        : undefined;
      await board.close();
      register.remove(name);
      records.remove(name);
      await signing.forget(name);
      return left;
    },
  };
};
