/** What all strategies that start from the examples-weighted mean share: FedAvg and the server optimizers. */
import type { Result } from "#contract/failure.ts";
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import {
  type Aggregated,
  checkExamples,
  NO_UPDATES,
  type Refusal,
  type Strategy,
} from "#main/federation/strategy.ts";
import { createWeightedSum, type WeightedSum } from "#main/federation/weighted-sum.ts";

/** What follows the mean: the new global values and state, from the round's start and the clients' mean. */
export type ServerStep = (input: {
  readonly specs: readonly ParameterSpec[];
  readonly global: readonly Tensor[];
  readonly mean: Tensor[];
  readonly state: readonly NamedTensor[];
}) => Generator<void, Result<Aggregated, Refusal>>;

/** A strategy that averages by examples and then takes a step on the server. */
export const createAveraging = (options: {
  readonly name: string;
  readonly initialState: Strategy["initialState"];
  readonly step: ServerStep;
}): Strategy => {
  // The memory of the sums (two doubles per parameter) goes from round to round.
  let spare: { readonly form: string; readonly sum: WeightedSum } | undefined;
  return {
    name: options.name,
    initialState: options.initialState,
    begin: ({ specs, global, state }) => {
      const form = JSON.stringify(specs);
      const sum = spare?.form === form ? spare.sum : createWeightedSum(specs);
      spare = undefined;
      return {
        prepare: () => sum.prepare(),
        *take(updates) {
          const counted = updates.map((u) => checkExamples(u.examples));
          const good = updates.filter((_, i) => counted[i]!.ok);
          const added = yield* sum.add(good.map(({ tensors, examples }) => ({ tensors, weight: examples })));
          let next = 0;
          return counted.map((result) => (result.ok ? added[next++]! : result));
        },
        *finish() {
          const mean = sum.count === 0 ? undefined : yield* sum.mean();
          sum.reset();
          spare = { form, sum };
          return mean === undefined ? NO_UPDATES : yield* options.step({ specs, global, mean, state });
        },
      };
    },
  };
};
