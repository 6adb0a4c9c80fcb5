import type { ConvGeometry, Ops, Tf, TfTensor } from "./engines/ops.ts";

/**
 * The layers that models are written in. In training each call also notes how to compute its gradient, so a model is
 * its forward pass and nothing else.
 *
 * Ownership: relu, maxPool, batchNorm, flatten, linear, globalAveragePool, l2Normalise and add take over their first
 * input; the model must not use it again. A convolution's input may be used again.
 */
export interface Layers {
  convolution(name: string, x: TfTensor, geometry: ConvGeometry): TfTensor;
  /**
   * Convolution, then 2×2 max-pooling. The bias is added after the pooling, to a quarter of the elements: adding
   * one number to a whole window changes neither which element is the largest nor how the largest is rounded.
   */
  pooledConvolution(name: string, x: TfTensor, geometry: ConvGeometry): TfTensor;
  batchNorm(name: string, x: TfTensor): TfTensor;
  relu(x: TfTensor): TfTensor;
  /** 2×2 with stride 2. */
  maxPool(x: TfTensor): TfTensor;
  flatten(x: TfTensor): TfTensor;
  linear(name: string, x: TfTensor): TfTensor;
  globalAveragePool(x: TfTensor): TfTensor;
  /** (N, D), each row divided by its length; see Ops. */
  l2Normalise(x: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  /** Everything made inside, except the result, may be disposed at its end. */
  block(make: () => TfTensor): TfTensor;
  /** Says that `x` will not be used again; returns `next`. */
  release(x: TfTensor, next: TfTensor): TfTensor;
}

/** The engine's tensors of a model's parameters by name: trainables and, for evaluation, running statistics. */
export type Parameters = ReadonlyMap<string, TfTensor>;

const find = (parameters: Parameters, name: string): TfTensor => {
  const tensor = parameters.get(name);
  if (tensor === undefined) throw new Error(`the model has no parameter ${name}`);
  return tensor;
};

/** Layers in evaluation mode: running statistics, nothing noted, tensors disposed as soon as possible. */
export const createEvaluationLayers = (tf: Tf, ops: Ops, parameters: Parameters): Layers => {
  const consume = (x: TfTensor, y: TfTensor): TfTensor => {
    x.dispose();
    return y;
  };
  return {
    convolution: (name, x, geometry) =>
      ops.conv2d(x, find(parameters, `${name}.weight`), parameters.get(`${name}.bias`), geometry),
    pooledConvolution: (name, x, geometry) => {
      const convolved = ops.conv2d(x, find(parameters, `${name}.weight`), undefined, geometry);
      const pooled = consume(convolved, ops.maxPool(convolved, 2));
      return consume(pooled, ops.biasAdd(pooled, find(parameters, `${name}.bias`)));
    },
    batchNorm: (name, x) =>
      consume(
        x,
        ops.batchNorm(
          x,
          find(parameters, `${name}.weight`),
          find(parameters, `${name}.bias`),
          find(parameters, `${name}.running_mean`),
          find(parameters, `${name}.running_var`),
        ),
      ),
    relu: (x) => consume(x, ops.relu(x)),
    maxPool: (x) => consume(x, ops.maxPool(x, 2)),
    flatten: (x) => consume(x, ops.reshape(x, [x.shape[0]!, x.size / x.shape[0]!])),
    linear: (name, x) =>
      consume(x, ops.dense(x, find(parameters, `${name}.weight`), find(parameters, `${name}.bias`))),
    globalAveragePool: (x) => consume(x, ops.globalAveragePool(x)),
    l2Normalise: (x) => consume(x, ops.l2Normalise(x)),
    add: (a, b) => consume(a, ops.add(a, b)),
    block: (make) => tf.tidy(make),
    release: consume,
  };
};

interface Step {
  readonly output: TfTensor;
  /** Gradient of the output -> gradients of its inputs, through `give`. */
  readonly backward: (dy: TfTensor) => void;
}

export interface TrainingLayers extends Layers {
  /** Batch statistics of every batch normalisation of the last forward pass. */
  readonly statistics: ReadonlyMap<string, { readonly mean: TfTensor; readonly variance: TfTensor }>;
  /**
   * Runs the noted steps backwards from d(loss)/d(logits) and disposes the activations on the way.
   * @returns the gradient of every trainable that the forward pass used, by name.
   */
  backward(logits: TfTensor, dLogits: TfTensor): Map<string, TfTensor>;
}

/**
 * Layers in training mode: batch statistics, and reverse-mode differentiation by hand. It stands in for
 * tf.grads because it knows what it differentiates: one engine call per gradient where tfjs's own makes several,
 * and no gradient for the images.
 */
export const createTrainingLayers = (ops: Ops, parameters: Parameters, images: TfTensor): TrainingLayers => {
  const steps: Step[] = [];
  const gradients = new Map<TfTensor, TfTensor>();
  const ofParameters = new Map<string, TfTensor>();
  const statistics = new Map<string, { mean: TfTensor; variance: TfTensor }>();

  const give = (x: TfTensor, gradient: TfTensor): void => {
    const known = gradients.get(x);
    if (known === undefined) {
      gradients.set(x, gradient);
      return;
    }
    gradients.set(x, ops.add(known, gradient));
    known.dispose();
    gradient.dispose();
  };
  const note = (output: TfTensor, backward: (dy: TfTensor) => void): TfTensor => {
    steps.push({ output, backward });
    return output;
  };

  return {
    statistics,
    convolution: (name, x, geometry) => {
      const weight = find(parameters, `${name}.weight`);
      const bias = parameters.get(`${name}.bias`);
      return note(ops.conv2d(x, weight, bias, geometry), (dy) => {
        if (bias) ofParameters.set(`${name}.bias`, ops.biasGrad(dy));
        ofParameters.set(`${name}.weight`, ops.conv2dFilterGrad(x, weight.shape, dy, geometry));
        if (x !== images) give(x, ops.conv2dInputGrad(x.shape, weight, dy, geometry));
      });
    },
    pooledConvolution: (name, x, geometry) => {
      const weight = find(parameters, `${name}.weight`);
      const convolved = ops.conv2d(x, weight, undefined, geometry);
      const pooled = ops.maxPool(convolved, 2);
      const y = ops.biasAdd(pooled, find(parameters, `${name}.bias`));
      return note(y, (dy) => {
        ofParameters.set(`${name}.bias`, ops.biasGrad(dy));
        const dConvolved = ops.maxPoolGrad(convolved, pooled, dy, 2);
        ofParameters.set(`${name}.weight`, ops.conv2dFilterGrad(x, weight.shape, dConvolved, geometry));
        if (x !== images) give(x, ops.conv2dInputGrad(x.shape, weight, dConvolved, geometry));
        dConvolved.dispose();
        pooled.dispose();
        convolved.dispose();
      });
    },
    batchNorm: (name, x) => {
      const scale = find(parameters, `${name}.weight`);
      const { y, mean, variance, saved } = ops.batchNormTraining(x, scale, find(parameters, `${name}.bias`));
      statistics.set(name, { mean, variance });
      return note(y, (dy) => {
        const { dx, dScale, dOffset } = ops.batchNormGrad(dy, x, scale, saved);
        ofParameters.set(`${name}.weight`, dScale);
        ofParameters.set(`${name}.bias`, dOffset);
        give(x, dx);
      });
    },
    relu: (x) => {
      const y = ops.relu(x);
      return note(y, (dy) => give(x, ops.reluGrad(y, dy)));
    },
    maxPool: (x) => {
      const y = ops.maxPool(x, 2);
      return note(y, (dy) => give(x, ops.maxPoolGrad(x, y, dy, 2)));
    },
    flatten: (x) =>
      note(ops.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]), (dy) => give(x, ops.reshape(dy, x.shape))),
    linear: (name, x) => {
      const weight = find(parameters, `${name}.weight`);
      return note(ops.dense(x, weight, find(parameters, `${name}.bias`)), (dy) => {
        ofParameters.set(`${name}.bias`, ops.biasGrad(dy));
        ofParameters.set(`${name}.weight`, ops.matMul(x, dy, true, false));
        give(x, ops.matMul(dy, weight, false, true));
      });
    },
    globalAveragePool: (x) =>
      note(ops.globalAveragePool(x), (dy) => give(x, ops.globalAveragePoolGrad(x.shape, dy))),
    l2Normalise: (x) => note(ops.l2Normalise(x), (dy) => give(x, ops.l2NormaliseGrad(x, dy))),
    add: (a, b) =>
      note(ops.add(a, b), (dy) => {
        give(a, dy.clone());
        give(b, dy.clone());
      }),
    block: (make) => make(),
    release: (_, next) => next,
    backward: (logits, dLogits) => {
      gradients.set(logits, dLogits);
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        const dy = gradients.get(step.output);
        if (dy === undefined) continue;
        step.backward(dy);
        gradients.delete(step.output);
        dy.dispose();
        step.output.dispose();
      }
      return ofParameters;
    },
  };
};
