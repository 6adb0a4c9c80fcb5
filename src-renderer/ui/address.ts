import { splitHash } from "./split-hash.ts";

/**
 * The last part of the page's address as it was meant: routes decode only half of it, so that a name with a slash or
 * a per cent sign would come out as another one.
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
