import type { Tensor1D, Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { createRowNormalisation } from "./normalise.ts";
import { BATCH_NORM_EPSILON, type Ops, type Tf, type TfTensor } from "./ops.ts";

/** The operations in terms of tfjs's own kernels: for wasm, and for any other backend that tfjs has. */
export const createComposedOps = (tf: Tf): Ops => {
  const kernel = (name: string, inputs: Record<string, TfTensor>, attributes: object): TfTensor =>
    tf.engine().runKernel(name, inputs, attributes as never) as TfTensor;
  const perChannel = (x: TfTensor): Tensor2D => tf.reshape(x, [-1, x.shape.at(-1)!]);
  return {
    conv2d: (x, filter, bias, { stride, pad }) =>
      bias
        ? tf.fused.conv2d({
            x: x as Tensor4D,
            filter: filter as Tensor4D,
            strides: stride,
            pad,
            bias: bias as Tensor1D,
            ...(pad > 0 ? { dimRoundingMode: "floor" as const } : {}),
          })
        : tf.conv2d(x as Tensor4D, filter as Tensor4D, stride, pad, "NHWC", 1, pad > 0 ? "floor" : undefined),
    conv2dInputGrad: (inputShape, filter, dy, { stride, pad }) =>
      kernel(
        "Conv2DBackpropInput",
        { dy, filter },
        { strides: [stride, stride], pad, dataFormat: "NHWC", dimRoundingMode: "floor", inputShape },
      ),
    conv2dFilterGrad: (x, filterShape, dy, { stride, pad }) =>
      kernel(
        "Conv2DBackpropFilter",
        { x, dy },
        { strides: [stride, stride], pad, dataFormat: "NHWC", dimRoundingMode: "floor", filterShape },
      ),
    biasAdd: (x, bias) => tf.add(x, bias),
    biasGrad: (dy) => tf.sum(perChannel(dy), 0),
    maxPool: (x, size) => tf.maxPool(x as Tensor4D, size, size, "valid"),
    maxPoolGrad: (input, output, dy, size) =>
      kernel("MaxPoolGrad", { dy, input, output }, { filterSize: size, strides: size, pad: "valid" }),
    relu: (x) => tf.relu(x),
    reluGrad: (y, dy) => tf.mul(dy, tf.step(y)),
    dense: (x, weight, bias) => tf.add(tf.matMul(x as Tensor2D, weight as Tensor2D), bias),
    // wasm multiplies plain matrices many times faster than ones that it has to read across.
    matMul: (a, b, transposeA, transposeB) =>
      tf.tidy(() =>
        tf.matMul(
          (transposeA ? tf.transpose(a) : a) as Tensor2D,
          (transposeB ? tf.transpose(b) : b) as Tensor2D,
        ),
      ),
    batchNorm: (x, scale, offset, mean, variance) =>
      tf.batchNorm(
        x as Tensor4D,
        mean as Tensor1D,
        variance as Tensor1D,
        offset as Tensor1D,
        scale as Tensor1D,
        BATCH_NORM_EPSILON,
      ),
    batchNormTraining: (x, scale, offset) => {
      const rows = perChannel(x);
      const n = rows.shape[0];
      const mean = tf.mean(rows, 0);
      const variance = tf.mean(tf.square(tf.sub(rows, mean)), 0);
      const y = tf.batchNorm(
        x as Tensor4D,
        mean as Tensor1D,
        variance as Tensor1D,
        offset as Tensor1D,
        scale as Tensor1D,
        BATCH_NORM_EPSILON,
      );
      return { y, mean, variance: tf.mul(variance, n / Math.max(1, n - 1)), saved: [mean, variance] };
    },
    // Ioffe & Szegedy 2015, section 3, with the two sums shared between dx, dScale and dOffset.
    batchNormGrad: (dy, x, scale, saved) => {
      const [mean, variance] = saved as [TfTensor, TfTensor];
      const rows = perChannel(x);
      const dRows = perChannel(dy);
      const n = rows.shape[0];
      const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
      const normalised = tf.mul(tf.sub(rows, mean), inverse);
      const dOffset = tf.sum(dRows, 0);
      const dScale = tf.sum(tf.mul(dRows, normalised), 0);
      const centred = tf.sub(dRows, tf.div(dOffset, n));
      const dx = tf.mul(tf.mul(scale, inverse), tf.sub(centred, tf.mul(normalised, tf.div(dScale, n))));
      return { dx: tf.reshape(dx, x.shape as [number, number, number, number]), dScale, dOffset };
    },
    globalAveragePool: (x) => tf.mean(x, [1, 2]),
    globalAveragePoolGrad: (inputShape, dy) => {
      const [n, h, w, c] = inputShape as [number, number, number, number];
      const given = dy.dataSync<"float32">();
      const dx = new Float32Array(n * h * w * c);
      for (let at = 0, row = 0; row < n; row += 1) {
        for (let pixel = 0; pixel < h * w; pixel += 1) {
          for (let channel = 0; channel < c; channel += 1, at += 1) {
            dx[at] = given[row * c + channel]! / (h * w);
          }
        }
      }
      return tf.tensor(dx, [n, h, w, c], "float32");
    },
    ...createRowNormalisation(tf),
    reshape: (x, shape) => tf.reshape(x, shape as number[]),
    add: (a, b) => tf.add(a, b),
  };
};
