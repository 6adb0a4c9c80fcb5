import type { Dataset } from "#contract/dataset.ts";
import type { Source } from "#main/datasets/source.ts";

/** A file that a format needs. */
export interface Member {
  readonly name: string;
  /** It may also be compressed, as `<name>.gz`. */
  readonly gzip?: boolean;
  /** MD5 (hex) of the file as its publisher or a distribution offers it; several where it was repacked. */
  readonly md5?: readonly string[];
}

/** One form that a data set has on disk. */
export interface Format {
  /** As stored in a DatasetLocation. */
  readonly name: string;
  readonly title: string;
  /** The name that a data set of this format gets unless a person chooses another. */
  readonly dataset: string;
  readonly members: readonly Member[];
  /** MD5 (hex) of the published archive, if there is one. */
  readonly archiveMd5?: string;
  /**
   * Reads and checks everything: sizes, counts, label ranges.
   *
   * @throws UserError that names the file, what was expected and what was found
   */
  read(source: Source): Promise<Omit<Dataset, "name">>;
}

/** Channel statistics on the 0..1 scale, with which images are normalised. */
export type Normalisation = Pick<Dataset, "mean" | "std">;
