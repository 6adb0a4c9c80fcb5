import { constants, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import { openArchive } from "./archive-source.ts";
import { openFolder } from "./folder-source.ts";
import { refusal } from "./refusal.ts";
import type { Source } from "./source.ts";

/**
 * Opens a folder or a .tar.gz, .tgz or .tar archive.
 *
 * @throws UserError if there is nothing at `path`, or nothing that can be read
 */
export const openSource = async (path: string): Promise<Source> => {
  let info: Stats;
  try {
    info = await stat(path);
  } catch (error) {
    throw refusal(path, "does not exist", "Check the path, or register the data set again", error);
  }
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw refusal(path, "cannot be read", "Check its permissions", error);
  }
  // reading a pipe or a device could wait forever
  if (!info.isDirectory() && !info.isFile()) {
    throw refusal(path, "is neither a folder nor a file", "Choose a folder or an archive");
  }
  return info.isDirectory() ? openFolder(path) : openArchive(path);
};
