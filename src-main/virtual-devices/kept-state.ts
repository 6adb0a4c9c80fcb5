import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { NamedTensor } from "#contract/tensor.ts";
import type { TensorFiles } from "./device-rooms.ts";

/** What devices keep between rounds, one file per run, device and round. */
export interface KeptState {
  /**
   * The parameters that the device kept in a round.
   * @throws when there is no such file, or it cannot be read; the message names the file.
   */
  load(run: string, device: string, round: number): Promise<readonly NamedTensor[]>;
  /**
   * Saves what the device keeps of a round, on disk before the promise resolves. Rounds before `needed` are
   * deleted: the server says with every instruction which round it continues from, so a resumed run can still ask
   * for `needed` itself, never for an older one.
   */
  save(
    run: string,
    device: string,
    round: number,
    tensors: readonly NamedTensor[],
    needed: number,
  ): Promise<void>;
}

const FILE_NAME = /^(\d+)\.safetensors$/;

/**
 * Kept state under `<dir>/<run>/<device>/<round>.safetensors`. Every worker may read what any other wrote: devices
 * are not bound to one.
 */
export const createKeptState = (dir: string, files: TensorFiles): KeptState => {
  const folderOf = (run: string, device: string) => join(dir, encodeName(run), encodeName(device));
  const pathOf = (run: string, device: string, round: number) =>
    join(folderOf(run, device), `${round}.safetensors`);
  return {
    load: (run, device, round) => files.read(pathOf(run, device, round)),
    async save(run, device, round, tensors, needed) {
      await files.write(pathOf(run, device, round), tensors, { run, device, round: String(round) });
      const folder = folderOf(run, device);
      for (const name of await readdir(folder)) {
        const match = FILE_NAME.exec(name);
        if (match && Number(match[1]) < needed && Number(match[1]) !== round) {
          await rm(join(folder, name), { force: true });
        }
      }
    },
  };
};

/** What TensorFiles.write calls a file until it is whole. */
const UNFINISHED = ".unfinished";

/**
 * Deletes what all devices kept of a run. Needed as long as the run may be resumed, so to be called for a run that is
 * done or has failed. A run without kept state is no error.
 */
export const forgetKept = (keptDir: string, run: string): Promise<void> =>
  // a device that was too late for the last round may be writing still: then the folder is not empty at once
  rm(join(keptDir, encodeName(run)), { recursive: true, force: true, maxRetries: 3 });

/** Deletes what killed processes left half written. To be called while no device trains. */
export const removeUnfinished = async (keptDir: string): Promise<void> => {
  const entries = await readdir(keptDir, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith(UNFINISHED)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
  }
};

/** A name as one part of a path: a device called `..` or `a/b` stays inside the folder. */
const encodeName = (name: string): string => encodeURIComponent(name).replaceAll(".", "%2E");
