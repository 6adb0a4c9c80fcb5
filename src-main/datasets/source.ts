import type { UserError } from "#contract/failure.ts";
import { refusal } from "./refusal.ts";

export interface SourceFile {
  /** Base name: folders inside an archive do not matter. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** The sizes in bytes that a file may have; a file outside these limits is refused before it is read. */
export interface SizeLimit {
  readonly min: number;
  readonly max: number;
}

/** A folder of files, or an archive of them: readers see no difference. */
export interface Source {
  readonly path: string;
  readonly kind: "folder" | "archive";
  list(): Promise<readonly SourceFile[]>;
  /**
   * Hands over the wanted files, whole and one at a time, in the order in which they lie in the source. One pass over
   * an archive is enough, and only one file is in memory.
   *
   * @param take is awaited before the next file is read
   * @throws UserError if a wanted file is missing, occurs twice or has the wrong size, or if the archive is damaged
   */
  read(
    wanted: ReadonlyMap<string, SizeLimit>,
    take: (name: string, bytes: Buffer) => void | Promise<void>,
  ): Promise<void>;
}

/** @returns undefined if `size` is within the limits, otherwise the middle of a sentence */
export const sizeProblem = (size: number, { min, max }: SizeLimit): string | undefined => {
  if (size >= min && size <= max) return undefined;
  return min === max
    ? `expected ${max} bytes, found ${size}`
    : `expected ${min} to ${max} bytes, found ${size}`;
};

export const missingFiles = (path: string, names: readonly string[]): UserError =>
  refusal(
    path,
    `missing ${names.join(", ")}`,
    "Put the missing files there, or unpack the whole archive again",
  );

/** The system's refusal to read a file, in a sentence with its own words. */
export const unreadable = (path: string, error: unknown): UserError =>
  refusal(path, `cannot be read (${(error as Error).message})`, "Check its permissions", error);
