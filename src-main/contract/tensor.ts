/** The element types that travel, by their NumPy names. */
export const DTYPES = [
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool",
] as const;

export type Dtype = (typeof DTYPES)[number];

/**
 * An n-dimensional array as bytes: little-endian, C order, at any alignment.
 * Every room passes tensors in this form, so a tensor that arrived on the wire is a view of its message
 * until somebody has a reason to copy it. `shape` is empty for a 0-dimensional array (one element).
 */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A tensor with its PyTorch state_dict name, e.g. `layer1.0.bn1.running_mean`. */
export interface NamedTensor extends Tensor {
  readonly name: string;
}

/** A model is its features (images to vectors) and its head (vectors to logits). */
export type ModelPart = "features" | "head";

/**
 * What a model's parameter list says of one entry, in state_dict order.
 * `kind`: "trainable" takes gradients; "buffer" is state such as BatchNorm's running statistics, which server
 * optimizers never touch.
 * `part`: where in the model it belongs; absent in a list that a client brought, which only has shapes.
 */
export interface ParameterSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly kind: "trainable" | "buffer";
  readonly part?: ModelPart;
}

export const BYTES_PER_ELEMENT: Readonly<Record<Dtype, number>> = {
  float16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

/** Number of elements of a shape; 1 for the empty shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export const byteLength = (dtype: Dtype, shape: readonly number[]): number =>
  elementCount(shape) * BYTES_PER_ELEMENT[dtype];

/** `float32 (64, 3, 3, 3)`, as messages to people print it. */
export const describeTensor = (t: { dtype: Dtype; shape: readonly number[] }): string =>
  `${t.dtype} (${t.shape.join(", ")})`;

/** A float32 tensor around values; the bytes are a view of `values`. */
export const float32Tensor = (shape: readonly number[], values: Float32Array): Tensor => ({
  dtype: "float32",
  shape,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

/**
 * The elements of a float32 tensor. A view where the bytes are 4-byte aligned, else a copy.
 * @throws TypeError when the tensor is not float32.
 */
export const toFloat32Array = (t: Tensor): Float32Array => {
  if (t.dtype !== "float32") throw new TypeError(`expected a float32 tensor, got ${describeTensor(t)}`);
  const { buffer, byteOffset, byteLength: length } = t.bytes;
  return byteOffset % 4 === 0
    ? new Float32Array(buffer, byteOffset, length / 4)
    : new Float32Array(buffer.slice(byteOffset, byteOffset + length));
};
