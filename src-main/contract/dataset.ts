import { UserError } from "./failure.ts";

/** Images in memory, all of one size: uint8, row-major (N, height, width, channels). */
export interface Images {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 1: greyscale; 3: red, green, blue. A model that takes three channels repeats the one of a greyscale image. */
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/**
 * One class index per image. Uint8Array where the data set has 256 classes or fewer, else Uint16Array: a data set's
 * SHA-256 and the files that boards get are made of these bytes.
 */
export type ClassLabels = Uint8Array | Uint16Array;

export interface ImageSet extends Images {
  readonly labels: ClassLabels;
}

/** Images that are matched with each other: who is on each, and which camera took it. */
export interface RetrievalSet extends Images {
  /** −1: nobody that counts. */
  readonly identities: Int32Array;
  readonly cameras: Int32Array;
}

/** What a model is tested on: images with their classes, or queries and the gallery that is searched for each. */
export type TestSide =
  | { readonly kind: "labelled"; readonly images: ImageSet }
  | { readonly kind: "retrieval"; readonly query: RetrievalSet; readonly gallery: RetrievalSet };

export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: TestSide;
  /** Per-channel mean and standard deviation on the 0..1 scale, three values each (repeated for greyscale images). */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** How many images there are to test on. */
export const testCount = (test: TestSide): number =>
  test.kind === "labelled" ? test.images.count : test.query.count + test.gallery.count;

/** @throws UserError for a test side of queries and a gallery. */
export const labelledImages = (test: TestSide): ImageSet => {
  if (test.kind === "labelled") return test.images;
  throw new UserError(
    "the test images of this data set are queries and a gallery without classes, which classification cannot use",
  );
};

/** Enough to load a data set in another process: a plain object that survives IPC and JSON. */
export interface DatasetLocation {
  readonly name: string;
  /** Which reader opens it. */
  readonly format: string;
  /** The folder or archive on this computer. */
  readonly path: string;
}

/** Sample indices per client, in the order of the sorted client names, and how they came about. */
export interface Partition {
  readonly kind: string;
  /** indices[k] are the training samples of client k, ascending. */
  readonly train: readonly (readonly number[])[];
  /** The test samples that client k evaluates on, class-balanced like its training samples; ascending. */
  readonly test: readonly (readonly number[])[];
  /** histogram[k][c] = training samples of class c on client k. */
  readonly histogram: readonly (readonly number[])[];
  /** SHA-256 (hex) of the index lists in their canonical JSON form. */
  readonly sha256: string;
}
