/**
 * Labelled pictures in memory. `pixels` is uint8, row-major (N, height, width, channels); a consumer that wants
 * three channels from a one-channel set repeats the channel. `labels` has one class index per picture.
 */
export interface PictureSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: PictureSet;
  readonly test: PictureSet;
  /** Per-channel mean and standard deviation on the 0..1 scale, three values each (repeated for grey pictures). */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

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
