import type { Images } from "#contract/dataset.ts";

type ImageShape = Pick<Images, "height" | "width" | "channels">;

/** The images that a model takes, and where a smaller one is placed. */
export interface ModelInput extends ImageShape {
  /**
   * Rows and columns of black that an image of the given shape gets around it.
   * @throws RangeError for a shape that the model cannot take.
   */
  border(images: ImageShape): { readonly rows: number; readonly columns: number };
}

/**
 * 32×32 in three channels, as CIFAR has it. 28×28 images get two black pixels on every side; a greyscale image is
 * repeated in all three channels.
 */
export const CIFAR_INPUT: ModelInput = {
  height: 32,
  width: 32,
  channels: 3,
  border: ({ height, width }) => {
    if (height !== width || (height !== 32 && height !== 28)) {
      throw new RangeError(`images must be 32×32 or 28×28, got ${height}×${width}`);
    }
    return { rows: (32 - height) / 2, columns: (32 - width) / 2 };
  },
};
