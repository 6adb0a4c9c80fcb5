/**
 * Jetson Linux (L4T) releases, what they are called and which image suits them. Keyed on L4T, which the board reports;
 * the JetPack version is a label that NVIDIA's own tables do not always agree on, and only shown.
 */

const GB = 1_000_000_000;

export interface JetsonImage {
  /** Hosts with this L4T, inclusive: [major, minor]. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  /** PyTorch with CUDA for exactly this range. */
  readonly base: string;
  readonly python: string;
  readonly diskBytes: number;
}

/**
 * From jetson-containers' list of images and its rule of what runs where: an r35 image on any r35; r36 falls in two
 * at 36.4, where CUDA went from 12.2 to 12.6.
 */
export const JETSON_IMAGES: readonly JetsonImage[] = [
  { from: [35, 1], to: [35, 99], base: "dustynv/l4t-pytorch:r35.4.1", python: "3.8", diskBytes: 20 * GB },
  { from: [36, 2], to: [36, 3], base: "dustynv/l4t-pytorch:r36.2.0", python: "3.10", diskBytes: 20 * GB },
  { from: [36, 4], to: [36, 99], base: "dustynv/l4t-pytorch:r36.4.0", python: "3.10", diskBytes: 20 * GB },
];

/** Why there is no image with CUDA for a release, and what a person can do. */
export interface NoGpu {
  readonly text: string;
  readonly next: string;
}

export const noGpu = (major: number, soc: string | undefined): NoGpu => {
  if (major < 32)
    return {
      text: `L4T r${major} is older than JetPack 4: no PyTorch for its GPU is published.`,
      next: "Flash the newest JetPack that this board takes.",
    };
  if (major === 32)
    return {
      text: "The GPU stays unused: with JetPack 4, PyTorch with CUDA exists for Python 3.6 only, and the client needs 3.8.",
      next:
        soc === "tegra194"
          ? "Flash JetPack 5 to train on the GPU; until then this board trains on its CPU."
          : "This board trains on its CPU: NVIDIA publishes no later JetPack for it.",
    };
  if (major < 35)
    return {
      text: `L4T r${major} was a preview of JetPack 5, without an image that is still published.`,
      next: "Flash JetPack 5.1 or later to train on the GPU; until then this board trains on its CPU.",
    };
  if (major >= 38)
    return {
      text: `The GPU stays unused: for JetPack 7 (L4T r${major}) no image of PyTorch is known to run the client.`,
      next: "This board trains on its CPU; load an image of your own to train on the GPU.",
    };
  return {
    text: `The GPU stays unused: no image of PyTorch is known for L4T r${major}.`,
    next: "This board trains on its CPU; flash a released JetPack to train on the GPU.",
  };
};

/** What NVIDIA calls a release. Left out where its own pages contradict each other. */
export const JETPACK: Readonly<Record<string, string>> = {
  "32.1.0": "4.2",
  "32.2.0": "4.2.1",
  "32.2.1": "4.2.2",
  "32.2.3": "4.2.3",
  "32.3.1": "4.3",
  "32.4.2": "4.4 DP",
  "32.4.3": "4.4",
  "32.4.4": "4.4.1",
  "32.5.0": "4.5",
  "32.5.1": "4.5.1",
  "32.5.2": "4.5.1",
  "32.6.1": "4.6",
  "32.7.1": "4.6.1",
  "32.7.2": "4.6.2",
  "32.7.3": "4.6.3",
  "32.7.4": "4.6.4",
  "32.7.5": "4.6.5",
  "32.7.6": "4.6.6",
  "34.1.0": "5.0 DP",
  "34.1.1": "5.0.1 DP",
  "35.1.0": "5.0.2",
  "35.2.1": "5.1",
  "35.3.1": "5.1.1",
  "35.4.1": "5.1.2",
  "35.5.0": "5.1.3",
  "35.6.0": "5.1.4",
  "35.6.1": "5.1.5",
  "36.2.0": "6.0 DP",
  "36.3.0": "6.0",
  "36.4.0": "6.1",
  "36.4.3": "6.2",
  "36.4.4": "6.2.1",
  "38.2.0": "7.0",
  "38.4.0": "7.1",
};

/** A Jetson's module by its system on a chip, for boards whose own model says little ("quill"). */
export const JETSON_SOCS: Readonly<Record<string, string>> = {
  tegra210: "Jetson Nano or TX1",
  tegra186: "Jetson TX2",
  tegra194: "Jetson Xavier",
  tegra234: "Jetson Orin",
  tegra264: "Jetson Thor",
};
