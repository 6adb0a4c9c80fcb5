/** Whether the tensors that a client sent are what the server asked for. */
import type { Result } from "#contract/failure.ts";
import { byteLength, type Dtype, describeTensor, elementCount, type Tensor } from "#contract/tensor.ts";
import { isFloat, numberReader } from "./elements.ts";
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
    return refuse("count-mismatch", `it sent ${counted(tensors.length)}; expected ${specs.length}`);
  }
  for (const [i, spec] of specs.entries()) {
    const tensor = tensors[i]!;
    const label = tensorLabel(i, spec);
    if (tensor.dtype !== spec.dtype) {
      return refuse("dtype-mismatch", `${label} is ${tensor.dtype}; expected ${spec.dtype}`);
    }
    if (!sameShape(tensor.shape, spec.shape)) {
      return refuse(
        "shape-mismatch",
        `${label} is ${describeTensor(tensor)}; expected ${describeTensor(spec)}`,
      );
    }
    const expected = byteLength(spec.dtype, spec.shape);
    if (tensor.bytes.byteLength !== expected) {
      return refuse(
        "bad-tensor",
        `${label} has ${tensor.bytes.byteLength} bytes; its shape needs ${expected}`,
      );
    }
  }
  return { ok: true, value: undefined };
};

const counted = (tensors: number): string => (tensors === 1 ? "1 tensor" : `${tensors} tensors`);

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  (a.length === b.length && a.every((d, i) => d === b[i])) ||
  (a.length <= 1 && b.length <= 1 && elementCount(a) === 1 && elementCount(b) === 1);

/** Elements that are looked at in about a millisecond. */
const SLICE = 65_536;

/** Refuses a float tensor that holds an infinity or a NaN; integers and bools always pass. */
export function* checkFinite(
  index: number,
  spec: TensorSpec,
  { bytes }: Tensor,
): Generator<void, Result<void, Refusal>> {
  if (!isFloat(spec.dtype)) return { ok: true, value: undefined };
  const read = numberReader(spec.dtype, bytes);
  const elements = elementCount(spec.shape);
  for (let i = 0; i < elements; i += 1) {
    const value = read(i);
    if (!Number.isFinite(value)) return notFinite(index, spec, i, value);
    if (i % SLICE === SLICE - 1) yield;
  }
  return { ok: true, value: undefined };
}

/** `checkForm`, and every float finite. */
export function* checkTensors(
  specs: readonly TensorSpec[],
  tensors: readonly Tensor[],
): Generator<void, Result<void, Refusal>> {
  const form = checkForm(specs, tensors);
  if (!form.ok) return form;
  for (const [index, spec] of specs.entries()) {
    const finite = yield* checkFinite(index, spec, tensors[index]!);
    if (!finite.ok) return finite;
  }
  return form;
}

export const notFinite = (index: number, spec: TensorSpec, element: number, value: number) =>
  refuse("not-finite", `${tensorLabel(index, spec)} holds ${value} at element ${element}`);
