/**
 * The server's step past the clients' mean, coordinate by coordinate. It moves trainable float parameters only:
 * buffers, such as BatchNorm's running statistics, take the plain mean, because a step past it could make a running
 * variance negative. Arithmetic is in double; a new value is rounded to its dtype once.
 */
import type { Result } from "#contract/failure.ts";
import { byteLength, elementCount, type ParameterSpec, type Tensor } from "#contract/tensor.ts";
import { tensorLabel } from "#main/federation/check-update.ts";
import { isFloat, numberReader, numberWriter } from "#main/federation/elements.ts";
import { type Refusal, refuse } from "#main/federation/strategy.ts";

/** Coordinates that are moved in about a millisecond. */
const SLICE = 8192;

/** Whether a server step moves this parameter. */
export const isMoved = (spec: ParameterSpec): boolean => spec.kind === "trainable" && isFloat(spec.dtype);

/**
 * Element i of one parameter: from its value at the start of the round and the clients' mean to its new value; NaN
 * where the step diverged.
 */
export type MoveElement = (i: number, global: number, mean: number) => number;

/**
 * The new global values, in the order of the specs. A value outside the range of its dtype is `diverged`.
 * @param input.name of the strategy, for the message. @param input.remedy what to change then, as an imperative.
 * @param input.open prepares the moves of one parameter, by its place in the specs.
 */
export function* moveTrainables(input: {
  readonly name: string;
  readonly remedy: string;
  readonly specs: readonly ParameterSpec[];
  readonly global: readonly Tensor[];
  readonly mean: readonly Tensor[];
  readonly open: (index: number) => MoveElement;
}): Generator<void, Result<Tensor[], Refusal>> {
  const tensors: Tensor[] = [];
  let work = 0;
  for (const [index, spec] of input.specs.entries()) {
    const average = input.mean[index]!;
    if (!isMoved(spec)) {
      tensors.push(average);
      continue;
    }
    const { dtype, shape } = spec;
    const bytes = new Uint8Array(byteLength(dtype, shape));
    const readGlobal = numberReader(dtype, input.global[index]!.bytes);
    const readMean = numberReader(dtype, average.bytes);
    const write = numberWriter(dtype, bytes);
    const written = numberReader(dtype, bytes);
    const move = input.open(index);
    const elements = elementCount(shape);
    for (let i = 0; i < elements; i += 1) {
      write(i, move(i, readGlobal(i), readMean(i)));
      if (!Number.isFinite(written(i))) {
        return refuse(
          "diverged",
          `the server's ${input.name} step left the range of ${dtype} in ${tensorLabel(index, spec)}; ${input.remedy}`,
        );
      }
      work += 1;
      if (work % SLICE === 0) yield;
    }
    tensors.push({ dtype, shape, bytes });
  }
  return { ok: true, value: tensors };
}
