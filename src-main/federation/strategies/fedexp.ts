/**
 * FedExP: the server steps past the clients' mean, the further the more the clients disagree. Jhunjhunwala, Wang &
 * Joshi, "FedExP: Speeding Up Federated Averaging via Extrapolation", ICLR 2023. With D_i = w_i - g, the
 * examples-weighted shares p_i and D = Σ p_i D_i, over all trainable float parameters together:
 *
 *   η = max(1, Σ p_i ‖D_i‖² / (2 (‖D‖² + epsilon))),   g ← g + η D
 *
 * It needs nothing from the clients and keeps nothing between rounds. At η = 1 the result is FedAvg's to the bit.
 *
 * Two choices to know when comparing with the authors' numbers:
 * - epsilon is the paper's (Algorithm 1): it stands beside ‖D‖² as it is, the same in every round. The authors'
 *   published code adds (clients of the round) · epsilon instead, and lets epsilon shrink by 0.998² a round together
 *   with the clients' learning rate. It uses 0.001 for the CIFAR sets and CINIC-10, 0.1 for EMNIST.
 * - The paper reports the accuracy of the mean of the last two iterates, because single ones oscillate. Here the
 *   current iterate is what is evaluated, recorded and kept in checkpoints: one set of weights per round, which is
 *   also the one that training and a resumed run continue from. Expect a curve that is a little rougher than theirs.
 *
 * Order of arrival: ‖D_i‖² is one double, summed over the elements in their order; Σ n_i ‖D_i‖² is an exact sum of
 * those. So η is bit-equal whatever the order, and takes no more memory for more clients.
 */
import { elementCount, type ParameterSpec, type Tensor } from "#contract/tensor.ts";
import { numberReader } from "#main/federation/elements.ts";
import { createExactSums } from "#main/federation/exact-sums.ts";
import { refuse, type Strategy } from "#main/federation/strategy.ts";
import { createFedAvg } from "./fedavg.ts";
import { isMoved, moveTrainables } from "./server-step.ts";

/** Elements whose squares are summed in about a millisecond. */
const SLICE = 65_536;
const NAME = "fedexp";
const REMEDY = "raise its epsilon or lower the clients' learning rate";

/** @param settings.epsilon keeps η small while ‖D‖² is tiny; 0 or more, in squared units of the parameters. */
export const createFedExP = ({ epsilon }: { readonly epsilon: number }): Strategy => {
  const averaging = createFedAvg();
  return {
    name: NAME,
    initialState: averaging.initialState,
    begin: (round) => {
      const { specs, global } = round;
      const mean = averaging.begin(round);
      const spread = createSpread();
      return {
        prepare: mean.prepare,
        *take(updates) {
          const results = yield* mean.take(updates);
          for (const [i, { tensors, examples }] of updates.entries()) {
            if (results[i]!.ok) spread.add(yield* squaredDistance(specs, tensors, global), examples);
          }
          return results;
        },
        *finish() {
          const averaged = yield* mean.finish();
          if (!averaged.ok) return averaged;
          const { tensors, state } = averaged.value;
          const length = yield* squaredDistance(specs, tensors, global);
          const serverStep = stepSize(spread.mean(), length, epsilon);
          if (serverStep === undefined) return TOO_FAR;
          const notes = { serverStep };
          if (serverStep === 1) return { ok: true, value: { tensors, state, notes } };
          const open = () => (_i: number, g: number, average: number) => g + serverStep * (average - g);
          const moved = yield* moveTrainables({
            name: NAME,
            remedy: REMEDY,
            specs,
            global,
            mean: tensors,
            open,
          });
          return moved.ok ? { ok: true, value: { tensors: moved.value, state, notes } } : moved;
        },
      };
    },
  };
};

/** η, at least 1; undefined where it is beyond all numbers. */
const stepSize = (spread: number, length: number, epsilon: number): number | undefined => {
  if (spread === 0) return 1;
  const step = Math.max(1, spread / (2 * (length + epsilon)));
  return Number.isFinite(step) ? step : undefined;
};

const TOO_FAR = refuse("diverged", `the server step size of FedExP is not a finite number; ${REMEDY}`);

/** The examples-weighted mean of squared distances, the same whatever their order. */
const createSpread = () => {
  const sums = createExactSums(1);
  let examples = 0n;
  let finite = true;
  return {
    add: (squared: number, weight: number): void => {
      if (Number.isFinite(squared)) sums.addProduct(0, squared, weight);
      else finite = false;
      examples += BigInt(weight);
    },
    mean: (): number => (finite ? sums.mean(0, Number(examples)) : Number.POSITIVE_INFINITY),
  };
};

/** ‖a - b‖² over the trainable float parameters, in double. */
function* squaredDistance(
  specs: readonly ParameterSpec[],
  a: readonly Tensor[],
  b: readonly Tensor[],
): Generator<void, number> {
  let total = 0;
  for (const [index, spec] of specs.entries()) {
    if (!isMoved(spec)) continue;
    const readA = numberReader(spec.dtype, a[index]!.bytes);
    const readB = numberReader(spec.dtype, b[index]!.bytes);
    const elements = elementCount(spec.shape);
    let sum = 0;
    for (let i = 0; i < elements; i += 1) {
      const difference = readA(i) - readB(i);
      sum += difference * difference;
      if (i % SLICE === SLICE - 1) yield;
    }
    total += sum;
  }
  return total;
}
