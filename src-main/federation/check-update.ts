/** Whether tensors that came from a client are what was asked for. */
import type { Result } from "#contract/failure.ts";
import { byteLength, type Dtype, describeTensor, elementCount, type Tensor } from "#contract/tensor.ts";
import { type Refusal, refuse } from "./strategy.ts";

/** What a tensor must look like; `name` is for messages. */
export interface TensorSpec {
  readonly name?: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** `tensor 3 (conv1.weight)`, counted from 0. */
export const tensorLabel = (index: number, spec: TensorSpec): string =>
  spec.name === undefined ? `tensor ${index}` : `tensor ${index} (${spec.name})`;

/**
 * Count, dtypes, shapes and sizes. Dtypes must be equal: a client that answers float64 to float32 is refused. A
 * 0-dimensional array may come back with shape (1,) and the other way round, since NumPy clients pass their
 * arrays through `atleast_1d`.
 */
export const checkForm = (
  specs: readonly TensorSpec[],
  tensors: readonly Tensor[],
): Result<void, Refusal> => {
  if (tensors.length !== specs.length) {
    return refuse("count-mismatch", `it sent ${tensors.length} tensors, ${specs.length} were expected`);
  }
  for (const [i, spec] of specs.entries()) {
    const tensor = tensors[i]!;
    const label = tensorLabel(i, spec);
    if (tensor.dtype !== spec.dtype) {
      return refuse("dtype-mismatch", `${label} is ${tensor.dtype}, ${spec.dtype} was expected`);
    }
    if (!sameShape(tensor.shape, spec.shape)) {
      return refuse(
        "shape-mismatch",
        `${label} is ${describeTensor(tensor)}, ${describeTensor(spec)} was expected`,
      );
    }
    const expected = byteLength(spec.dtype, spec.shape);
    if (tensor.bytes.byteLength !== expected) {
      return refuse(
        "bad-tensor",
        `${label} has ${tensor.bytes.byteLength} bytes, its shape needs ${expected}`,
      );
    }
  }
  return { ok: true, value: undefined };
};

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  (a.length === b.length && a.every((d, i) => d === b[i])) ||
  (a.length <= 1 && b.length <= 1 && elementCount(a) === 1 && elementCount(b) === 1);

export const notFinite = (index: number, spec: TensorSpec, element: number, value: number) =>
  refuse("not-finite", `${tensorLabel(index, spec)} holds ${value} at element ${element}`);
