/**
 * Server optimizers take the clients' mean as a pseudo-gradient (Reddi et al., "Adaptive Federated Optimization",
 * ICLR 2021). They move trainable float parameters only; buffers, such as BatchNorm's running statistics, take the
 * plain mean, because a step past it could make a running variance negative.
 *
 * Arithmetic is in double; parameters and moments are rounded to their dtype, moments to float32, once per round.
 */
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import { byteLength, elementCount, float32Tensor } from "#contract/tensor.ts";
import { tensorLabel } from "#main/federation/check-update.ts";
import { isFloat, numberReader, numberWriter } from "#main/federation/elements.ts";
import { refuse, type Strategy } from "#main/federation/strategy.ts";
import { createAveraging } from "./averaging.ts";

/** Name of the state tensor that counts the steps taken: float64, 0-dimensional. */
const STEP = "step";
const SLICE = 8192;

/**
 * One coordinate's step. `moments` holds its moments and takes their new values.
 * @param g global value at the start of the round. @param mean the clients' mean. @returns the new global value.
 */
export type CoordinateStep = (g: number, mean: number, moments: Float64Array) => number;

const moves = (spec: ParameterSpec): boolean => spec.kind === "trainable" && isFloat(spec.dtype);

/**
 * @param options.moments names of the moments kept per parameter; the state tensors are `${moment}.${parameter}`,
 *   float32, of the parameter's shape, 0 at first.
 * @param options.prepare the step of one round; `step` counts from 1 and only rounds that had an update.
 */
export const createServerOptimizer = (options: {
  readonly name: string;
  readonly moments: readonly string[];
  readonly prepare: (step: number) => CoordinateStep;
}): Strategy =>
  createAveraging({
    name: options.name,
    initialState: (specs) => [
      stepTensor(0),
      ...options.moments.flatMap((moment) =>
        specs.filter(moves).map((spec) => ({
          ...float32Tensor(spec.shape, new Float32Array(elementCount(spec.shape))),
          name: `${moment}.${spec.name}`,
        })),
      ),
    ],
    *step({ specs, global, mean, state }) {
      const byName = new Map(state.map((tensor) => [tensor.name, tensor]));
      const find = (name: string): NamedTensor => {
        const tensor = byName.get(name);
        if (tensor === undefined) throw new Error(`the state of ${options.name} lacks ${name}`);
        return tensor;
      };
      const counter = find(STEP);
      const step = numberReader(counter.dtype, counter.bytes)(0) + 1;
      const move = options.prepare(step);
      const moments = new Float64Array(options.moments.length);
      const tensors: Tensor[] = [];
      const fresh = options.moments.map((): NamedTensor[] => []);
      let work = 0;
      for (const [index, spec] of specs.entries()) {
        const average = mean[index]!;
        if (!moves(spec)) {
          tensors.push(average);
          continue;
        }
        const elements = elementCount(spec.shape);
        const bytes = new Uint8Array(byteLength(spec.dtype, spec.shape));
        const readGlobal = numberReader(spec.dtype, global[index]!.bytes);
        const readMean = numberReader(spec.dtype, average.bytes);
        const write = numberWriter(spec.dtype, bytes);
        const written = numberReader(spec.dtype, bytes);
        const old = options.moments.map((moment) => {
          const tensor = find(`${moment}.${spec.name}`);
          return numberReader(tensor.dtype, tensor.bytes);
        });
        const next = old.map(() => new Float32Array(elements));
        for (let i = 0; i < elements; i += 1) {
          for (let m = 0; m < old.length; m += 1) moments[m] = old[m]!(i);
          write(i, move(readGlobal(i), readMean(i), moments));
          let finite = Number.isFinite(written(i));
          for (let m = 0; m < next.length; m += 1) {
            next[m]![i] = moments[m]!;
            finite &&= Number.isFinite(next[m]![i]!);
          }
          if (!finite) {
            return refuse(
              "diverged",
              `the server's ${options.name} step left the range of ${spec.dtype} in ${tensorLabel(index, spec)}; lower its serverLr`,
            );
          }
          work += 1;
          if (work % SLICE === 0) yield;
        }
        tensors.push({ dtype: spec.dtype, shape: spec.shape, bytes });
        next.forEach((values, m) => {
          fresh[m]!.push({
            ...float32Tensor(spec.shape, values),
            name: `${options.moments[m]}.${spec.name}`,
          });
        });
      }
      return { ok: true, value: { tensors, state: [stepTensor(step), ...fresh.flat()] } };
    },
  });

const stepTensor = (step: number): NamedTensor => ({
  name: STEP,
  dtype: "float64",
  shape: [],
  bytes: new Uint8Array(Float64Array.of(step).buffer),
});
