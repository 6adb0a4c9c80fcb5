import type { DatabaseSync } from "node:sqlite";
import type { BoardFacts, BoardTarget, HostKey, SignIn } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { inTransaction } from "./database.ts";

/** How to sign in, without the secrets. */
export type SignInRecord =
  | { readonly kind: Exclude<SignIn["kind"], "key"> }
  | { readonly kind: "key"; readonly path: string };

export interface StoredBoard {
  readonly name: string;
  readonly target: BoardTarget;
  readonly signIn: SignInRecord;
  readonly hostKey: HostKey;
  /** A folder on the board that holds the data; undefined where the lab sends each study's part. */
  readonly dataFolder?: string;
  readonly facts?: BoardFacts;
  /** All steps of its plan were done at the last check. */
  readonly ready: boolean;
  readonly addedAt: string;
}

type BoardRow = {
  name: string;
  host: string;
  port: number | null;
  user: string | null;
  sign_in: string;
  key_type: string;
  key_fingerprint: string;
  data_folder: string | null;
  facts: string | null;
  ready: number;
  added_at: string;
};

const toBoard = (row: BoardRow): StoredBoard => ({
  name: row.name,
  target: {
    host: row.host,
    ...(row.port === null ? {} : { port: row.port }),
    ...(row.user === null ? {} : { user: row.user }),
  },
  signIn: JSON.parse(row.sign_in) as SignInRecord,
  hostKey: { type: row.key_type, fingerprint: row.key_fingerprint },
  ...(row.data_folder === null ? {} : { dataFolder: row.data_folder }),
  ...(row.facts === null ? {} : { facts: JSON.parse(row.facts) as BoardFacts }),
  ready: row.ready === 1,
  addedAt: row.added_at,
});

/** The boards of the lab, in the order in which they were added. */
export const createBoardTable = (db: DatabaseSync) => {
  const all = db.prepare("SELECT * FROM boards ORDER BY position, name");
  const save = db.prepare(`
    INSERT INTO boards (name, host, port, user, sign_in, key_type, key_fingerprint, data_folder, facts, ready,
      position, added_at)
    VALUES (:name, :host, :port, :user, :signIn, :keyType, :fingerprint, :dataFolder, :facts, :ready,
      (SELECT coalesce(max(position) + 1, 0) FROM boards), :at)
    ON CONFLICT (name) DO UPDATE SET host = :host, port = :port, user = :user, sign_in = :signIn,
      key_type = :keyType, key_fingerprint = :fingerprint, data_folder = :dataFolder, facts = :facts,
      ready = :ready`);
  const one = db.prepare("SELECT 1 FROM boards WHERE name = ?");
  const remove = db.prepare("DELETE FROM boards WHERE name = ?");
  const removeTelemetry = db.prepare("DELETE FROM board_telemetry WHERE device = ?");
  const removeLog = db.prepare("DELETE FROM board_log WHERE device = ?");

  const drops = db.prepare("SELECT study FROM board_drops WHERE device = ?");
  const addDrop = db.prepare("INSERT OR IGNORE INTO board_drops (device, study) VALUES (?, ?)");
  const dropDone = db.prepare("DELETE FROM board_drops WHERE device = ? AND study = ?");

  const list = (): StoredBoard[] => (all.all() as BoardRow[]).map(toBoard);
  const write = (board: StoredBoard): void => {
    save.run({
      name: board.name,
      host: board.target.host,
      port: board.target.port ?? null,
      user: board.target.user ?? null,
      signIn: JSON.stringify(board.signIn),
      keyType: board.hostKey.type,
      fingerprint: board.hostKey.fingerprint,
      dataFolder: board.dataFolder ?? null,
      facts: board.facts === undefined ? null : JSON.stringify(board.facts),
      ready: board.ready ? 1 : 0,
      at: board.addedAt,
    });
  };

  return {
    list,
    has: (name: string): boolean => one.get(name) !== undefined,
    /** @throws UserError when there is already a board of this name. */
    add: (board: StoredBoard): void =>
      inTransaction(db, () => {
        const other = list().find(({ name }) => name.toLowerCase() === board.name.toLowerCase());
        if (other !== undefined) {
          throw new UserError(`There is already a board called ${other.name}. Choose another name.`);
        }
        write(board);
      }),
    /** Replaces all fields of a board. */
    save: (board: StoredBoard): void => inTransaction(db, () => write(board)),
    /** Deleted studies whose data is still on a board. */
    drops: {
      list: (device: string): string[] =>
        (drops.all(device) as { study: string }[]).map(({ study }) => study),
      add: (device: string, study: string): void => {
        addDrop.run(device, study);
      },
      done: (device: string, study: string): void => {
        dropDone.run(device, study);
      },
    },
    /** With its telemetry and the output of its clients; its updates stay part of their rounds. */
    remove: (name: string): boolean =>
      inTransaction(db, () => {
        removeTelemetry.run(name);
        removeLog.run(name);
        return remove.run(name).changes > 0;
      }),
  };
};
