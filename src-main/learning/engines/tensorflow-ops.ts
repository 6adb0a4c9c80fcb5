import { createRowNormalisation } from "./normalise.ts";
import {
  BATCH_NORM_EPSILON,
  type ConvGeometry,
  type Ops,
  type Tf,
  type TfShape,
  type TfTensor,
} from "./ops.ts";

/** An attribute of a TensorFlow operation, as tfjs-node's binding takes it. */
interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The part of tfjs-node's backend that runs TensorFlow's own operations. */
export interface TensorflowBackend {
  readonly binding: Readonly<Record<string, number>> & { readonly TF_Version: string };
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TfTensor[],
  ): TfTensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TfTensor[],
    outputs: number,
  ): TfTensor[];
}

/**
 * TensorFlow's own operations, called directly: no shape checks in JavaScript, attributes built once, fused
 * batch normalisation, explicit padding without a padded copy, and no tensor that only carries a shape.
 */
export const createTensorflowOps = (tf: Tf): Ops => {
  const backend = tf.backend() as unknown as TensorflowBackend;
  const {
    TF_ATTR_STRING: STRING,
    TF_ATTR_INT: INT,
    TF_ATTR_BOOL: BOOL,
    TF_ATTR_TYPE: TYPE,
    TF_ATTR_FLOAT: FLOAT,
    TF_FLOAT: FLOAT32,
    TF_INT32: INT32,
  } = backend.binding as Record<string, number> as {
    [K in
      | "TF_ATTR_STRING"
      | "TF_ATTR_INT"
      | "TF_ATTR_BOOL"
      | "TF_ATTR_TYPE"
      | "TF_ATTR_FLOAT"
      | "TF_FLOAT"
      | "TF_INT32"]: number;
  };
  const run = (name: string, attributes: readonly OpAttribute[], ...inputs: TfTensor[]) =>
    backend.executeSingleOutput(name, attributes, inputs);

  const T: OpAttribute = { name: "T", type: TYPE, value: FLOAT32 };
  const NHWC: OpAttribute = { name: "data_format", type: STRING, value: "NHWC" };
  const T_ONLY = [T];
  const SHAPED = [T, { name: "Tshape", type: TYPE, value: INT32 }];
  const SLICE = [T, { name: "Index", type: TYPE, value: INT32 }];
  const REDUCE = [
    T,
    { name: "Tidx", type: TYPE, value: INT32 },
    { name: "keep_dims", type: BOOL, value: false },
  ];

  // Attributes and shape tensors are few and small, and live as long as the engine.
  const remembered = new Map<string, unknown>();
  const remember = <V>(key: string, make: () => V): V => {
    const known = remembered.get(key);
    if (known !== undefined) return known as V;
    const made = make();
    remembered.set(key, made);
    return made;
  };
  const intTensor = (values: TfShape): TfTensor =>
    remember(`ints ${values.join()}`, () => tf.keep(tf.tensor1d(values as number[], "int32")));

  const convAttributes = (kernelSize: number, { stride, pad }: ConvGeometry) =>
    remember(`conv ${kernelSize} ${stride} ${pad}`, (): OpAttribute[] => {
      const padding = pad === 0 ? "VALID" : stride === 1 && 2 * pad === kernelSize - 1 ? "SAME" : "EXPLICIT";
      return [
        T,
        NHWC,
        { name: "strides", type: INT, value: [1, stride, stride, 1] },
        { name: "padding", type: STRING, value: padding },
        ...(padding === "EXPLICIT"
          ? [{ name: "explicit_paddings", type: INT, value: [0, 0, pad, pad, pad, pad, 0, 0] }]
          : []),
      ];
    });
  const poolAttributes = (size: number) =>
    remember(`pool ${size}`, (): OpAttribute[] => [
      T,
      NHWC,
      { name: "ksize", type: INT, value: [1, size, size, 1] },
      { name: "strides", type: INT, value: [1, size, size, 1] },
      { name: "padding", type: STRING, value: "VALID" },
    ]);
  const normAttributes = (training: boolean) =>
    remember(`norm ${training}`, (): OpAttribute[] => [
      T,
      { name: "U", type: TYPE, value: FLOAT32 },
      { name: "epsilon", type: FLOAT, value: BATCH_NORM_EPSILON },
      NHWC,
      { name: "is_training", type: BOOL, value: training },
    ]);
  const matMulAttributes = (a: boolean, b: boolean) =>
    remember(`matmul ${a} ${b}`, (): OpAttribute[] => [
      T,
      { name: "transpose_a", type: BOOL, value: a },
      { name: "transpose_b", type: BOOL, value: b },
    ]);
  const empty = () => remember("empty", () => tf.keep(tf.tensor1d([], "float32")));
  const biasAdd = (x: TfTensor, bias: TfTensor) => run("BiasAdd", [T, NHWC], x, bias);

  return {
    conv2d: (x, filter, bias, geometry) => {
      const y = run("Conv2D", convAttributes(filter.shape[0]!, geometry), x, filter);
      if (!bias) return y;
      const biased = biasAdd(y, bias);
      y.dispose();
      return biased;
    },
    conv2dInputGrad: (inputShape, filter, dy, geometry) => {
      const attributes = convAttributes(filter.shape[0]!, geometry);
      const { stride, pad } = geometry;
      if (stride === 1 || pad === 0) {
        return run("Conv2DBackpropInput", attributes, intTensor(inputShape), filter, dy);
      }
      // With explicit padding and a stride TensorFlow 2.15 falls back to a kernel that is up to ten times slower.
      // The gradient of the padded input, cut to the input, is the same.
      const [n, h, w, c] = inputShape as [number, number, number, number];
      const padded = run(
        "Conv2DBackpropInput",
        convAttributes(filter.shape[0]!, { stride, pad: 0 }),
        intTensor([n, h + 2 * pad, w + 2 * pad, c]),
        filter,
        dy,
      );
      const cut = run("Slice", SLICE, padded, intTensor([0, pad, pad, 0]), intTensor([n, h, w, c]));
      padded.dispose();
      return cut;
    },
    conv2dFilterGrad: (x, filterShape, dy, geometry) =>
      run("Conv2DBackpropFilter", convAttributes(filterShape[0]!, geometry), x, intTensor(filterShape), dy),
    biasAdd,
    biasGrad: (dy) => run("BiasAddGrad", [T, NHWC], dy),
    maxPool: (x, size) => run("MaxPool", poolAttributes(size), x),
    maxPoolGrad: (x, y, dy, size) => run("MaxPoolGrad", poolAttributes(size), x, y, dy),
    relu: (x) => run("Relu", T_ONLY, x),
    reluGrad: (y, dy) => run("ReluGrad", T_ONLY, dy, y),
    dense: (x, weight, bias) => {
      const y = run("MatMul", matMulAttributes(false, false), x, weight);
      const biased = biasAdd(y, bias);
      y.dispose();
      return biased;
    },
    matMul: (a, b, transposeA, transposeB) => run("MatMul", matMulAttributes(transposeA, transposeB), a, b),
    batchNorm: (x, scale, offset, mean, variance) => {
      const [y, ...rest] = backend.executeMultipleOutputs(
        "FusedBatchNormV3",
        normAttributes(false),
        [x, scale, offset, mean, variance],
        6,
      );
      tf.dispose(rest);
      return y!;
    },
    batchNormTraining: (x, scale, offset) => {
      const [y, mean, variance, ...saved] = backend.executeMultipleOutputs(
        "FusedBatchNormV3",
        normAttributes(true),
        [x, scale, offset, empty(), empty()],
        6,
      );
      return { y: y!, mean: mean!, variance: variance!, saved };
    },
    batchNormGrad: (dy, x, scale, saved) => {
      const [dx, dScale, dOffset, ...rest] = backend.executeMultipleOutputs(
        "FusedBatchNormGradV3",
        normAttributes(true),
        [dy, x, scale, ...saved],
        5,
      );
      tf.dispose(rest);
      return { dx: dx!, dScale: dScale!, dOffset: dOffset! };
    },
    globalAveragePool: (x) => run("Mean", REDUCE, x, intTensor([1, 2])),
    globalAveragePoolGrad: (inputShape, dy) => {
      const [n, h, w, c] = inputShape as [number, number, number, number];
      const area = remember(`area ${h * w}`, () => tf.keep(tf.scalar(h * w, "float32")));
      return tf.tidy(() =>
        run(
          "BroadcastTo",
          [T, { name: "Tidx", type: TYPE, value: INT32 }],
          run("Reshape", SHAPED, run("RealDiv", T_ONLY, dy, area), intTensor([n, 1, 1, c])),
          intTensor(inputShape),
        ),
      );
    },
    ...createRowNormalisation(tf),
    reshape: (x, shape) => run("Reshape", SHAPED, x, intTensor(shape)),
    add: (a, b) => run("AddV2", T_ONLY, a, b),
  };
};
