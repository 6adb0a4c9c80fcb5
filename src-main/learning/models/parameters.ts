import type { ParameterSpec } from "#contract/tensor.ts";

/**
 * How a parameter of PyTorch's layout becomes one of the engine's:
 * "conv" (O,I,H,W) -> (H,W,I,O); "dense" (O,I) -> (I,O); "flattened" is a dense layer behind a flatten, whose
 * columns PyTorch counts channel by channel and the engine pixel by pixel; "plain" stays as it is.
 */
export type Layout =
  | { readonly kind: "conv" }
  | { readonly kind: "dense" }
  | { readonly kind: "plain" }
  | {
      readonly kind: "flattened";
      readonly channels: number;
      readonly height: number;
      readonly width: number;
    };

/** The distribution that PyTorch draws a fresh parameter from. */
export type Initialisation =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "constant"; readonly value: number };

/** A parameter with everything but its place in a model. */
export interface Entry extends Omit<ParameterSpec, "part"> {
  readonly layout: Layout;
  readonly initialisation: Initialisation;
}

export type ParameterDefinition = Entry & Required<Pick<ParameterSpec, "part">>;

const trainable = (
  name: string,
  shape: readonly number[],
  layout: Layout,
  initialisation: Initialisation,
): Entry => ({ name, dtype: "float32", shape, kind: "trainable", layout, initialisation });

const PLAIN: Layout = { kind: "plain" };

/** PyTorch's default for Conv2d and Linear: U(−1/√fan_in, 1/√fan_in) for weight and bias. */
const defaultUniform = (fanIn: number): Initialisation => ({ kind: "uniform", bound: 1 / Math.sqrt(fanIn) });

/** Conv2d with bias and PyTorch's default initialisation. */
export const convolution = (name: string, out: number, input: number, size: number): Entry[] => {
  const initialisation = defaultUniform(input * size * size);
  return [
    trainable(`${name}.weight`, [out, input, size, size], { kind: "conv" }, initialisation),
    trainable(`${name}.bias`, [out], PLAIN, initialisation),
  ];
};

/** Conv2d without bias, He et al.'s normal over the fan-out, as the residual networks have it. */
export const kaimingConvolution = (name: string, out: number, input: number, size: number): Entry[] => [
  trainable(
    `${name}.weight`,
    [out, input, size, size],
    { kind: "conv" },
    { kind: "normal", std: Math.sqrt(2 / (size * size * out)) },
  ),
];

/** Linear with PyTorch's default initialisation. */
export const linear = (
  name: string,
  out: number,
  input: number,
  layout: Layout = { kind: "dense" },
): Entry[] => {
  const initialisation = defaultUniform(input);
  return [
    trainable(`${name}.weight`, [out, input], layout, initialisation),
    trainable(`${name}.bias`, [out], PLAIN, initialisation),
  ];
};

/** BatchNorm2d: five entries, of which the last is an int64 counter without dimensions. */
export const batchNorm = (name: string, width: number): Entry[] => {
  const constant = (value: number): Initialisation => ({ kind: "constant", value });
  const buffer = (entry: string, value: number): Entry => ({
    ...trainable(`${name}.${entry}`, [width], PLAIN, constant(value)),
    kind: "buffer",
  });
  return [
    trainable(`${name}.weight`, [width], PLAIN, constant(1)),
    trainable(`${name}.bias`, [width], PLAIN, constant(0)),
    buffer("running_mean", 0),
    buffer("running_var", 1),
    {
      name: `${name}.num_batches_tracked`,
      dtype: "int64",
      shape: [],
      kind: "buffer",
      layout: PLAIN,
      initialisation: constant(0),
    },
  ];
};
