import type { NamedTensor, Tensor } from "#contract/tensor.ts";
import type { RememberedRound, RunPorts } from "./ports.ts";
import type { RunPlan } from "./run-plan.ts";

/** The position of a run between two rounds. */
export interface Position {
  round: number;
  weights: readonly NamedTensor[];
  state: readonly NamedTensor[];
}

/** Names of server state in a checkpoint: kept apart from the model's own. */
const STATE_PREFIX = "server_state.";

/** How many of the last rounds had no usable update. */
export const fruitlessRounds = (history: readonly RememberedRound[]): number => {
  const last = history.findLastIndex((r) => r.round === 0 || r.clients.length > 0);
  return history.length - 1 - last;
};

export const findPosition = async (plan: RunPlan, ports: RunPorts, initSeed: number): Promise<Position> => {
  const last = ports.history.last(plan.run.id);
  if (last === undefined) {
    return {
      round: 0,
      weights: plan.model.initialWeights(initSeed),
      state: plan.algorithm.strategy.initialState(
        plan.model.parameters.filter((spec) => !plan.algorithm.keeps(spec)),
      ),
    };
  }
  const { tensors } = await ports.checkpoints.read(last.checkpoint);
  const byName = new Map(tensors.map((t) => [t.name, t]));
  return {
    round: last.round,
    // In the order of the parameter list; the order within a checkpoint file does not matter.
    weights: plan.model.parameters.map((spec) => {
      const tensor = byName.get(spec.name);
      if (tensor === undefined) throw new Error(`checkpoint ${last.checkpoint} lacks ${spec.name}`);
      return tensor;
    }),
    state: tensors
      .filter((t) => t.name.startsWith(STATE_PREFIX))
      .map((t) => ({ ...t, name: t.name.slice(STATE_PREFIX.length) })),
  };
};

/** The last round before `round` in which an update of this device was aggregated: its kept state is from there. */
export const keptFrom = (
  history: readonly RememberedRound[],
  device: string,
  round: number,
  trainedNow: ReadonlySet<string> = new Set(),
): number => {
  if (trainedNow.has(device)) return round - 1;
  return history.findLast((r) => r.round < round && r.clients.includes(device))?.round ?? 0;
};

export const merge = (
  weights: readonly NamedTensor[],
  names: readonly string[],
  tensors: readonly Tensor[],
): readonly NamedTensor[] => {
  const fresh = new Map(names.map((name, i) => [name, tensors[i]]));
  return weights.map((old) => {
    const tensor = fresh.get(old.name);
    return tensor === undefined ? old : { ...tensor, name: old.name };
  });
};

/** The content of a checkpoint: the whole model, and the server's state under separate names. */
export const checkpointOf = ({ weights, state }: Position): readonly NamedTensor[] => [
  ...weights,
  ...state.map((t) => ({ ...t, name: STATE_PREFIX + t.name })),
];
