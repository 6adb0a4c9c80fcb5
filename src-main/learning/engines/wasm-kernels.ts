import type { Tensor4D } from "@tensorflow/tfjs-core";
import type { Tf } from "./ops.ts";

interface FilterGradInputs {
  readonly x: Tensor4D;
  readonly dy: Tensor4D;
}
interface FilterGradAttributes {
  readonly strides: number | [number, number];
  readonly pad: number | "valid" | "same";
  readonly filterShape: [number, number, number, number];
}

/**
 * The gradient of a convolution with respect to its filter is itself a convolution: of the input, with its
 * channels as the batch, by the output's gradient as the filter, dilated by the stride (the same identity that
 * TensorFlow's GPU kernels use). It is composed of the backend's own Transpose, PadV2 and Conv2D.
 */
const conv2dFilterGradient = (
  tf: Tf,
  { x, dy }: FilterGradInputs,
  { strides, pad, filterShape }: FilterGradAttributes,
): Tensor4D =>
  tf.tidy(() => {
    const info = tf.backend_util.computeConv2DInfo(
      x.shape,
      filterShape,
      strides,
      1,
      pad,
      typeof pad === "number" ? "floor" : undefined,
    );
    const { top, left } = info.padInfo;
    const [filterHeight, filterWidth] = filterShape;
    // Rows and columns that the forward convolution never reached, because the stride stepped over them, are
    // cut off; those that it reached beyond the input are zero.
    const reachHeight = (info.outHeight - 1) * info.strideHeight + filterHeight;
    const reachWidth = (info.outWidth - 1) * info.strideWidth + filterWidth;
    const bottom = Math.max(0, reachHeight - info.inHeight - top);
    const right = Math.max(0, reachWidth - info.inWidth - left);
    let input = tf.transpose(x, [3, 1, 2, 0]) as Tensor4D;
    if (top + bottom + left + right > 0) {
      input = tf.pad(input, [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]);
    }
    if (input.shape[1] > reachHeight || input.shape[2] > reachWidth) {
      input = tf.slice(input, [0, 0, 0, 0], [-1, reachHeight, reachWidth, -1]);
    }
    const filter = tf.transpose(dy, [1, 2, 0, 3]) as Tensor4D;
    const dilations: [number, number] = [info.strideHeight, info.strideWidth];
    const gradient = tf.conv2d(input, filter, 1, "valid", "NHWC", dilations);
    return tf.transpose(gradient, [1, 2, 0, 3]) as Tensor4D;
  });

interface PoolGradAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: number | "valid" | "same";
}

/**
 * Gradient of max-pooling: all of a window's gradient goes to its first largest element, as in PyTorch and
 * TensorFlow. The backend's own kernel gives none to windows whose elements are all negative.
 */
const maxPoolGradient = (
  tf: Tf,
  input: Tensor4D,
  dy: Tensor4D,
  { filterSize, strides, pad }: PoolGradAttributes,
): Tensor4D => {
  const info = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad);
  const { inHeight, inWidth, inChannels: channels, outHeight, outWidth, padInfo } = info;
  const x = input.dataSync<"float32">();
  const given = dy.dataSync<"float32">();
  const dx = new Float32Array(input.size);
  for (let n = 0, at = 0; n < info.batchSize; n += 1) {
    for (let row = 0; row < outHeight; row += 1) {
      const top = row * info.strideHeight - padInfo.top;
      const rowEnd = Math.min(inHeight, top + info.filterHeight);
      for (let column = 0; column < outWidth; column += 1) {
        const left = column * info.strideWidth - padInfo.left;
        const columnEnd = Math.min(inWidth, left + info.filterWidth);
        for (let c = 0; c < channels; c += 1, at += 1) {
          let best = -1;
          let largest = Number.NEGATIVE_INFINITY;
          for (let y = Math.max(0, top); y < rowEnd; y += 1) {
            let from = ((n * inHeight + y) * inWidth + Math.max(0, left)) * channels + c;
            for (let z = Math.max(0, left); z < columnEnd; z += 1, from += channels) {
              const value = x[from]!;
              if (value > largest) {
                largest = value;
                best = from;
              }
            }
          }
          // A window of nothing but NaN has no largest element; the loss is NaN as well then.
          if (best >= 0) dx[best]! += given[at]!;
        }
      }
    }
  }
  return tf.tensor(dx, input.shape, "float32");
};

/** Gives the wasm backend the kernels that training needs and it lacks or gets wrong. Safe to call again. */
export const registerMissingWasmKernels = (tf: Tf): void => {
  if (tf.getKernel("Conv2DBackpropFilter", "wasm")) return;
  tf.unregisterKernel("MaxPoolGrad", "wasm");
  tf.registerKernel({
    kernelName: "MaxPoolGrad",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => {
      const { input, dy } = inputs as unknown as { input: Tensor4D; dy: Tensor4D };
      return maxPoolGradient(tf, input, dy, attrs as unknown as PoolGradAttributes);
    },
  });
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    // tfjs hands its kernels the tensors themselves, under the type of a bare description.
    kernelFunc: ({ inputs, attrs }) =>
      conv2dFilterGradient(
        tf,
        inputs as unknown as FilterGradInputs,
        attrs as unknown as FilterGradAttributes,
      ),
  });
};
