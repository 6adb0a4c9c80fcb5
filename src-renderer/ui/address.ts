import { splitHash } from "./split-hash.ts";

/**
 * The last part of the page's address, decoded. The router decodes only part of it, so that a name with a slash or a
 * per cent sign would come out wrong.
 */
export const lastPartOf = (hash: string): string => {
  const { path } = splitHash(hash);
  const part = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
