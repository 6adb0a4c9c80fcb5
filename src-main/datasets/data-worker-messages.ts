import type { ClassLabels, DatasetLocation, Partition } from "#contract/dataset.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { Examination } from "./examine.ts";
import type { Registered } from "./inspect.ts";
import type { PartFiles, PartSamples } from "./part-files.ts";

/** What of a data set is needed to deal it out: small beside its pictures. */
export interface DatasetLabels {
  /** One class index per picture. */
  readonly train: ClassLabels;
  readonly test: ClassLabels;
  readonly classes: number;
  readonly classNames: readonly string[];
  /** Over pictures and labels. */
  readonly sha256: string;
}

/** Pictures on one sheet: row = class, column = one of its pictures. */
export interface SampleSheet {
  readonly classes: readonly string[];
  /** Training and test pictures. */
  readonly train: number;
  readonly test: number;
  /** Training pictures per class. */
  readonly perClass: readonly number[];
  readonly columns: number;
  /** Of one picture, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** Who would hold what, without the lists of samples. `histogram[k][c]`: training samples of class c on device k. */
export type Dealt =
  | {
      readonly ok: true;
      readonly classes: readonly string[];
      /** Training samples in all. */
      readonly samples: number;
      readonly histogram: readonly (readonly number[])[];
      readonly sha256: string;
    }
  | {
      readonly ok: false;
      readonly problems: readonly StudyProblem[];
      readonly classes: readonly string[];
      readonly samples: number;
    };

/** What a study that is started is recorded with. */
export type FullyDealt = { readonly classNames: readonly string[]; readonly sha256: string } & (
  | {
      readonly ok: true;
      /** Undefined where no device takes its data from this computer. */
      readonly partition: Partition | undefined;
    }
  | { readonly ok: false; readonly problems: readonly StudyProblem[] }
);

/** A device's part of a data set, as files for it. */
export interface PartWanted extends PartSamples {
  readonly location: DatasetLocation;
  /** Where the files go, named by their SHA-256. */
  readonly dir: string;
  /** The device has the data set itself: only which samples are its is said, and no file is written. */
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
