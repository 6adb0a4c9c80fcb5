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

interface InputGradInputs {
  readonly dy: Tensor4D;
  readonly filter: Tensor4D;
}
interface InputGradAttributes {
  readonly strides: number | [number, number];
  readonly pad: number | "valid" | "same";
  readonly inputShape: [number, number, number, number];
}

/** Puts `stride` − 1 zero rows and columns between those of (N,H,W,C). */
const dilate = (tf: Tf, dy: Tensor4D, strideHeight: number, strideWidth: number): Tensor4D => {
  if (strideHeight === 1 && strideWidth === 1) return dy;
  const [n, h, w, c] = dy.shape;
  const apart = tf.pad(tf.reshape(dy, [n * h, 1, w, c]), [
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
    [0, 0],
  ]);
  const rows = n * h * strideHeight;
  const columns = tf.pad(tf.reshape(apart, [rows, w, 1, c]), [
    [0, 0],
    [0, 0],
    [0, strideWidth - 1],
    [0, 0],
  ]);
  const whole = tf.reshape(columns, [n, h * strideHeight, w * strideWidth, c]) as Tensor4D;
  return tf.slice(whole, [0, 0, 0, 0], [-1, (h - 1) * strideHeight + 1, (w - 1) * strideWidth + 1, -1]);
};

/**
 * The gradient of a convolution with respect to its input: the output's gradient, with the stride's gaps filled
 * by zeros, convolved with the filter turned by 180° (Dumoulin & Visin 2016, section 4). The backend's own kernel
 * takes about ten times as long.
 */
const conv2dInputGradient = (
  tf: Tf,
  { dy, filter }: InputGradInputs,
  { strides, pad, inputShape }: InputGradAttributes,
): Tensor4D =>
  tf.tidy(() => {
    const info = tf.backend_util.computeConv2DInfo(
      inputShape,
      filter.shape,
      strides,
      1,
      pad,
      typeof pad === "number" ? "floor" : undefined,
    );
    const { inHeight, inWidth, filterHeight, filterWidth, padInfo } = info;
    const apart = dilate(tf, dy, info.strideHeight, info.strideWidth);
    const top = filterHeight - 1 - padInfo.top;
    const left = filterWidth - 1 - padInfo.left;
    // As many rows at the end as make the result as large as the input.
    const bottom = inHeight - apart.shape[1] - top + filterHeight - 1;
    const right = inWidth - apart.shape[2] - left + filterWidth - 1;
    const padded = tf.pad(apart, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
    return tf.conv2d(padded, turned, 1, "valid");
  });

interface PoolGradAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: number | "valid" | "same";
}

/** The common case, 2×2 with stride 2, without the bounds that the general one needs. */
const spreadOverPairs = (
  x: Float32Array,
  given: Float32Array,
  dx: Float32Array,
  shape: { batchSize: number; inHeight: number; inWidth: number; inChannels: number },
): void => {
  const { batchSize, inHeight, inWidth, inChannels: channels } = shape;
  const right = channels;
  const below = inWidth * channels;
  let at = 0;
  for (let n = 0; n < batchSize; n += 1) {
    for (let y = 0; y + 1 < inHeight; y += 2) {
      let corner = (n * inHeight + y) * inWidth * channels;
      for (let z = 0; z + 1 < inWidth; z += 2, corner += channels) {
        for (let c = 0; c < channels; c += 1, corner += 1, at += 1) {
          let best = corner;
          if (x[corner + right]! > x[best]!) best = corner + right;
          if (x[corner + below]! > x[best]!) best = corner + below;
          if (x[corner + below + right]! > x[best]!) best = corner + below + right;
          dx[best] = given[at]!;
        }
      }
    }
  }
};

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
  const simple = info.filterHeight === 2 && info.filterWidth === 2 && info.strideHeight === 2;
  if (simple && info.strideWidth === 2 && padInfo.top === 0 && padInfo.left === 0) {
    spreadOverPairs(x, given, dx, info);
    return tf.tensor(dx, input.shape, "float32");
  }
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

/** Gives the wasm backend the kernels that training needs and it lacks, gets wrong or takes long over. Safe to call again. */
export const registerMissingWasmKernels = (tf: Tf): void => {
  if (tf.getKernel("Conv2DBackpropFilter", "wasm")) return;
  tf.unregisterKernel("Conv2DBackpropInput", "wasm");
  tf.registerKernel({
    kernelName: "Conv2DBackpropInput",
    backendName: "wasm",
    // tfjs hands its kernels the tensors themselves, under the type of a bare description.
    kernelFunc: ({ inputs, attrs }) =>
      conv2dInputGradient(tf, inputs as unknown as InputGradInputs, attrs as unknown as InputGradAttributes),
  });
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
    kernelFunc: ({ inputs, attrs }) =>
      conv2dFilterGradient(
        tf,
        inputs as unknown as FilterGradInputs,
        attrs as unknown as FilterGradAttributes,
      ),
  });
};
