/**
 * Server optimizers take the clients' mean as a pseudo-gradient (Reddi et al., "Adaptive Federated Optimization",
 * ICLR 2021). What they move, and what takes the plain mean, says server-step.ts. Arithmetic is in double; moments
 * are rounded to float32 once per round.
 */
import { elementCount, float32Tensor, type NamedTensor } from "#contract/tensor.ts";
import { numberReader } from "#main/federation/elements.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createAveraging } from "./averaging.ts";
import { isMoved, type MoveElement, moveTrainables } from "./server-step.ts";

/** Name of the state tensor that counts the steps taken: float64, 0-dimensional. */
const STEP = "step";

/**
 * One coordinate's step. `moments` holds its moments and takes their new values.
 * @param g global value at the start of the round. @param mean the clients' mean. @returns the new global value.
 */
export type CoordinateStep = (g: number, mean: number, moments: Float64Array) => number;

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
        specs.filter(isMoved).map((spec) => ({
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
      const fresh = options.moments.map((): NamedTensor[] => []);
      const open = (index: number): MoveElement => {
        const { name, shape } = specs[index]!;
        const old = options.moments.map((moment) => {
          const tensor = find(`${moment}.${name}`);
          return numberReader(tensor.dtype, tensor.bytes);
        });
        const next = old.map(() => new Float32Array(elementCount(shape)));
        next.forEach((values, m) => {
          fresh[m]!.push({ ...float32Tensor(shape, values), name: `${options.moments[m]}.${name}` });
        });
        return (i, g, average) => {
          for (let m = 0; m < old.length; m += 1) moments[m] = old[m]!(i);
          let value = move(g, average, moments);
          for (let m = 0; m < next.length; m += 1) {
            next[m]![i] = moments[m]!;
            if (!Number.isFinite(next[m]![i])) value = Number.NaN;
          }
          return value;
        };
      };
      const { name } = options;
      const moved = yield* moveTrainables({ name, remedy: "lower its serverLr", specs, global, mean, open });
      if (!moved.ok) return moved;
      return { ok: true, value: { tensors: moved.value, state: [stepTensor(step), ...fresh.flat()] } };
    },
  });

const stepTensor = (step: number): NamedTensor => ({
  name: STEP,
  dtype: "float64",
  shape: [],
  bytes: new Uint8Array(Float64Array.of(step).buffer),
});
