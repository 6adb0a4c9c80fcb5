import type * as tfCore from "@tensorflow/tfjs-core";

/** tfjs as this process loaded it. Only engines/ imports it; everything else is handed this object. */
export type Tf = typeof tfCore;
export type TfTensor = tfCore.Tensor;
export type TfShape = readonly number[];

/** A convolution as PyTorch describes it: one stride and one symmetric padding for both directions. */
export interface ConvGeometry {
  readonly stride: number;
  readonly pad: number;
}

/** Batch statistics of one batch normalisation, and what its gradient needs of them. */
export interface BatchNormOutput {
  readonly y: TfTensor;
  /** (C) mean of the batch. */
  readonly mean: TfTensor;
  /** (C) unbiased variance of the batch, the one that PyTorch's running_var averages. */
  readonly variance: TfTensor;
  /** What `batchNormGrad` wants back. */
  readonly saved: readonly TfTensor[];
}

/**
 * The operations that the models are made of, forwards and backwards, each as few engine calls as the engine
 * allows: for a model of Net's size the calls themselves are a large part of the time. Images are NHWC,
 * filters HWIO, dense weights (in, out). Results belong to the enclosing tf.tidy.
 */
export interface Ops {
  /** (N,H,W,I) * (h,w,I,O) + (O) -> (N,H',W',O). */
  conv2d(x: TfTensor, filter: TfTensor, bias: TfTensor | undefined, geometry: ConvGeometry): TfTensor;
  conv2dInputGrad(inputShape: TfShape, filter: TfTensor, dy: TfTensor, geometry: ConvGeometry): TfTensor;
  conv2dFilterGrad(x: TfTensor, filterShape: TfShape, dy: TfTensor, geometry: ConvGeometry): TfTensor;
  /** (…, C) + (C). */
  biasAdd(x: TfTensor, bias: TfTensor): TfTensor;
  /** Sum over all axes but the last. */
  biasGrad(dy: TfTensor): TfTensor;
  /** Windows of size × size without overlap and without padding. */
  maxPool(x: TfTensor, size: number): TfTensor;
  maxPoolGrad(x: TfTensor, y: TfTensor, dy: TfTensor, size: number): TfTensor;
  relu(x: TfTensor): TfTensor;
  /** dy where y > 0, else 0. */
  reluGrad(y: TfTensor, dy: TfTensor): TfTensor;
  /** (N,I) · (I,O) + (O). */
  dense(x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor;
  /** Normalises with given statistics (evaluation mode); eps 1e-5. */
  batchNorm(x: TfTensor, scale: TfTensor, offset: TfTensor, mean: TfTensor, variance: TfTensor): TfTensor;
  /** Normalises with the batch's own statistics (training mode); eps 1e-5. */
  batchNormTraining(x: TfTensor, scale: TfTensor, offset: TfTensor): BatchNormOutput;
  batchNormGrad(
    dy: TfTensor,
    x: TfTensor,
    scale: TfTensor,
    saved: readonly TfTensor[],
  ): { dx: TfTensor; dScale: TfTensor; dOffset: TfTensor };
  /** (N,H,W,C) -> (N,C), the mean over the image. */
  globalAveragePool(x: TfTensor): TfTensor;
  globalAveragePoolGrad(inputShape: TfShape, dy: TfTensor): TfTensor;
  /** (N,D) -> (N,D): every row x becomes x / max(‖x‖, 1e-12), as PyTorch's F.normalize has it. */
  l2Normalise(x: TfTensor): TfTensor;
  /** Gradient of `l2Normalise` at its input x; the length of a row below 1e-12 counts as constant. */
  l2NormaliseGrad(x: TfTensor, dy: TfTensor): TfTensor;
  /** Same elements, other shape. */
  reshape(x: TfTensor, shape: TfShape): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
}

/** eps of PyTorch's BatchNorm2d. */
export const BATCH_NORM_EPSILON = 1e-5;
