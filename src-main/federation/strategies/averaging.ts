/** What all strategies that start from the examples-weighted mean share: FedAvg and the server optimizers. */
import type { Result } from "#contract/failure.ts";
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import { checkExamples, NO_UPDATES, type Refusal, type Strategy } from "#main/federation/strategy.ts";
import { createWeightedSum } from "#main/federation/weighted-sum.ts";

/** What follows the mean: the new global values and state, from the round's start and the clients' mean. */
export type ServerStep = (input: {
  readonly specs: readonly ParameterSpec[];
  readonly global: readonly Tensor[];
  readonly mean: Tensor[];
  readonly state: readonly NamedTensor[];
}) => Generator<void, Result<{ tensors: Tensor[]; state: NamedTensor[] }, Refusal>>;

/** A strategy that averages by examples and then takes a step on the server. */
export const createAveraging = (options: {
  readonly name: string;
  readonly initialState: Strategy["initialState"];
  readonly step: ServerStep;
}): Strategy => ({
  name: options.name,
  initialState: options.initialState,
  begin: ({ specs, global, state }) => {
    const sum = createWeightedSum(specs);
    return {
      *check(tensors, examples) {
        const counted = checkExamples(examples);
        return counted.ok ? yield* sum.check(tensors) : counted;
      },
      *fold({ tensors, examples }) {
        yield* sum.fold(tensors, examples);
      },
      *finish() {
        if (sum.count === 0) return NO_UPDATES;
        const mean = yield* sum.mean();
        return yield* options.step({ specs, global, mean, state });
      },
    };
  },
});
