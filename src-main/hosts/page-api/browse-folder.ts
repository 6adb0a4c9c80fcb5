import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "#contract/failure.ts";
import type { FolderView } from "#contract/views.ts";

/** Nobody looks through more; the path can be typed. */
const MOST = 500;
/** Archives and files of data sets, compressed or not. Files of CIFAR's python form have no extension. */
const COULD_BE_DATA =
  /\.(tar|tgz|gz|bin)$|-ubyte$|^(data_batch_[1-5]|test_batch|batches\.meta|train|test|meta)$/i;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "the folder does not exist",
  ENOTDIR: "it is a file, not a folder",
  EACCES: "you do not have permission to read it",
  EPERM: "you do not have permission to read it",
};

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/**
 * The content of a folder on this computer, for a person who looks for data: folders, and files that could be data, by
 * name. Hidden and unreadable entries are left out.
 *
 * @throws UserError that names the folder if it cannot be read
 */
export const browseFolder = async (given: string | undefined, home: string): Promise<FolderView> => {
  const wanted = given?.trim() || home;
  const path = resolve(home, wanted.replace(/^~(?=$|\/)/, home));
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const why = REASONS[error.code ?? ""] ?? error.message;
    throw new UserError(`${path} cannot be opened: ${why}. Choose another folder.`, { cause: error });
  });
  const visible = entries.filter(({ name }) => !name.startsWith("."));
  const folders: string[] = [];
  const names: string[] = [];
  for (const entry of visible) {
    const target = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => undefined) : entry;
    if (target?.isDirectory()) folders.push(entry.name);
    else if (target?.isFile() && COULD_BE_DATA.test(entry.name)) names.push(entry.name);
  }
  folders.sort(inOrder);
  names.sort(inOrder);
  const shown = folders.slice(0, MOST);
  const files: { name: string; bytes: number }[] = [];
  for (const name of names.slice(0, MOST - shown.length)) {
    const info = await stat(join(path, name)).catch(() => undefined);
    if (info) files.push({ name, bytes: info.size });
  }
  const parent = dirname(path);
  return {
    path,
    ...(parent === path ? {} : { parent }),
    home,
    folders: shown,
    files,
    more: folders.length + names.length > MOST,
  };
};
