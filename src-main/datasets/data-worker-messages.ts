import type { ClassLabels, DatasetLocation, Partition } from "#contract/dataset.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { Examination } from "./examine.ts";
import type { Registered } from "./inspect.ts";
import type { PartFiles, PartSamples } from "./part-files.ts";

/** What dealing out a data set needs of it: small compared with its images. */
export interface DatasetLabels {
  /** One class index per image. */
  readonly train: ClassLabels;
  readonly test: ClassLabels;
  readonly classes: number;
  readonly classNames: readonly string[];
  /** Over images and labels. */
  readonly sha256: string;
}

/** Images on one sheet: row = class, column = one of its images. */
export interface SampleSheet {
  readonly classes: readonly string[];
  /** Number of training and test images. */
  readonly train: number;
  readonly test: number;
  /** Training images per class. */
  readonly perClass: readonly number[];
  readonly columns: number;
  /** Of one image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/**
 * A partition without the lists of samples. `histogram[k][c]`: training samples of class c on device k. `sha256` is the
 * partition's.
 */
export type Dealt = {
  readonly classes: readonly string[];
  /** Training samples in total. */
  readonly samples: number;
} & (
  | { readonly ok: true; readonly histogram: readonly (readonly number[])[]; readonly sha256: string }
  | { readonly ok: false; readonly problems: readonly StudyProblem[] }
);

/** What a study that starts is recorded with. `sha256` is the data set's. */
export type FullyDealt = {
  readonly classNames: readonly string[];
  /** Training samples in total. */
  readonly samples: number;
  readonly sha256: string;
} & (
  | {
      readonly ok: true;
      /** Undefined where no device takes its data from this computer. */
      readonly partition: Partition | undefined;
    }
  | { readonly ok: false; readonly problems: readonly StudyProblem[] }
);

/** Which part of a data set a device gets, as files. */
export interface PartWanted extends PartSamples {
  readonly location: DatasetLocation;
  /** Where the files go, named by their SHA-256. */
  readonly dir: string;
  /** The device has the data set itself: it is told only which samples are its own, and no file is written. */
  readonly folder: boolean;
}

/** Each kind of work with what it takes and gives. */
export interface DataWork {
  labels: { takes: DatasetLocation; gives: DatasetLabels };
  samples: { takes: { location: DatasetLocation; perClass: number }; gives: SampleSheet };
  examine: { takes: Examination; gives: Registered };
  deal: { takes: { study: Study; location: DatasetLocation }; gives: Dealt };
  partition: { takes: { study: Study; location: DatasetLocation }; gives: FullyDealt };
  part: { takes: PartWanted; gives: PartFiles };
}
