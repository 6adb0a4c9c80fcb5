import { elementCount } from "#contract/tensor.ts";
import type { ParameterDefinition } from "./models/parameters.ts";

/** The shape of a parameter inside the engine. */
export const engineShape = ({ layout, shape }: ParameterDefinition): number[] => {
  if (layout.kind === "plain") return [...shape];
  if (layout.kind === "conv") {
    const [out, input, height, width] = shape as [number, number, number, number];
    return [height, width, input, out];
  }
  const [out, input] = shape as [number, number];
  return [input, out];
};

/** (rows, columns) -> (columns, rows). */
const transpose = (source: Float32Array, target: Float32Array, rows: number, columns: number): void => {
  for (let r = 0, from = 0; r < rows; r += 1) {
    for (let c = 0, to = r; c < columns; c += 1, from += 1, to += rows) target[to] = source[from]!;
  }
};

/**
 * (O,C,P) -> (P,C,O) with `inner` = P and `middle` = C, which is both (O,I,H·W) -> (H·W,I,O) for filters and the
 * reordering of the columns behind a flatten; its own inverse when O and P change places.
 */
const reverseAxes = (
  source: Float32Array,
  target: Float32Array,
  outer: number,
  middle: number,
  inner: number,
): void => {
  let from = 0;
  for (let o = 0; o < outer; o += 1) {
    for (let m = 0; m < middle; m += 1) {
      let to = m * outer + o;
      for (let i = 0; i < inner; i += 1, from += 1, to += middle * outer) target[to] = source[from]!;
    }
  }
};

/** Values in PyTorch's layout -> a new array in the engine's. */
export const toEngineLayout = (
  { layout, shape }: ParameterDefinition,
  values: Float32Array,
): Float32Array => {
  if (layout.kind === "plain") return values.slice();
  const target = new Float32Array(elementCount(shape));
  const out = shape[0]!;
  if (layout.kind === "conv") reverseAxes(values, target, out, shape[1]!, shape[2]! * shape[3]!);
  else if (layout.kind === "dense") transpose(values, target, out, shape[1]!);
  else reverseAxes(values, target, out, layout.channels, layout.height * layout.width);
  return target;
};

/** Values in the engine's layout -> a new array in PyTorch's. */
export const toTorchLayout = ({ layout, shape }: ParameterDefinition, values: Float32Array): Float32Array => {
  if (layout.kind === "plain") return values.slice();
  const target = new Float32Array(elementCount(shape));
  const out = shape[0]!;
  if (layout.kind === "conv") reverseAxes(values, target, shape[2]! * shape[3]!, shape[1]!, out);
  else if (layout.kind === "dense") transpose(values, target, shape[1]!, out);
  else reverseAxes(values, target, layout.height * layout.width, layout.channels, out);
  return target;
};
