import { open } from "node:fs/promises";
import type { SFTPWrapper } from "ssh2";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { cancelled, connectionLost } from "./data-problems.ts";
import { whenClosed } from "./when-closed.ts";

const CHUNK_BYTES = 32 << 10;
/** This many writes are in flight at once: 2 MiB, which hides the round trips of a distant board. */
const IN_FLIGHT = 64;

/** A write that the board refused; sftp says no more than "Failure" about a full disk. */
export class RefusedWrite extends Error {}

export interface Upload {
  readonly from: string;
  readonly to: string;
  /** What is there already, and is kept. */
  readonly offset: number;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

const opened = (sftp: SFTPWrapper, path: string, flags: "r+" | "w"): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sftp.open(path, flags, { mode: 0o600 }, (error, handle) => (error ? reject(error) : resolve(handle)));
  });

/** Syncs where the server can; the digest checks the file in any case. */
const synced = (sftp: SFTPWrapper, handle: Buffer): Promise<void> =>
  new Promise((resolve) => {
    try {
      sftp.ext_openssh_fsync(handle, () => resolve());
    } catch {
      resolve();
    }
  });

const closed = (sftp: SFTPWrapper, handle: Buffer): Promise<void> =>
  new Promise((resolve) => {
    sftp.close(handle, () => resolve());
  });

/**
 * Sends a local file, or the rest of it, in order: if it is cut short, what arrived is the beginning of the file.
 *
 * @throws RefusedWrite; BoardError "connection-lost", "cancelled"
 */
export const upload = async (connection: SshConnection, what: Upload): Promise<void> => {
  const { signal } = what;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const abort = (): void => broken.reject(cancelled());
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const forget = whenClosed(connection, () => broken.reject(connectionLost()));
  const orBroken = <T>(work: Promise<T>): Promise<T> => Promise.race([broken.promise, work]);

  const local = await open(what.from, "r");
  try {
    const sftp = await orBroken(connection.sftp());
    const handle = await orBroken(opened(sftp, what.to, what.offset > 0 ? "r+" : "w"));
    let inFlight = 0;
    let onLanding: (() => void) | undefined;
    const below = async (limit: number): Promise<void> => {
      while (inFlight > limit) {
        const landing = new Promise<void>((resolve) => {
          onLanding = resolve;
        });
        await orBroken(landing);
      }
    };
    try {
      for (let offset = what.offset; ; ) {
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        const { bytesRead } = await orBroken(local.read(buffer, 0, CHUNK_BYTES, offset));
        if (bytesRead === 0) break;
        await below(IN_FLIGHT - 1);
        inFlight++;
        sftp.write(handle, buffer, 0, bytesRead, offset, (error) => {
          inFlight--;
          if (error) broken.reject(new RefusedWrite(error.message, { cause: error }));
          else what.onBytes(bytesRead);
          onLanding?.();
        });
        offset += bytesRead;
      }
      await below(0);
      await orBroken(synced(sftp, handle));
    } finally {
      if (!connection.isClosed) await Promise.race([closed(sftp, handle), connection.closed]);
    }
  } catch (error) {
    // Of a lost connection, sftp says only that it is gone.
    if (connection.isClosed && !signal.aborted) throw connectionLost();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    forget();
    await local.close();
  }
};
