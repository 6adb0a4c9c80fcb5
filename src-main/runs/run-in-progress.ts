import type { ParameterSpec } from "#contract/tensor.ts";
import { deriveSeed } from "#main/federation/random.ts";
import type { Control, RememberedRound, RunPorts } from "./ports.ts";
import { keptNames } from "./reported-metrics.ts";
import type { RunPlan } from "./run-plan.ts";
import { findPosition, type Position } from "./run-position.ts";

/** A run in progress: what is fixed, and how far it is. */
export interface RunInProgress extends RunPlan {
  readonly ports: RunPorts;
  readonly control: Control;
  /** Parameters that travel, in the model's order. */
  readonly travels: readonly ParameterSpec[];
  /** Names of those that stay on the devices. */
  readonly keeps: readonly string[];
  readonly initSeed: number;
  readonly at: Position;
  /** In order. A run can have very many rounds, so only the part that is still needed. */
  readonly history: RememberedRound[];
  /** Devices whose update of the round in progress was aggregated. */
  trainedNow: ReadonlySet<string>;
  /** True once the whole fleet was connected in this process. */
  hasMet: boolean;
  lastFailure: string;
  /** Names of the metrics that its clients reported and that are kept. */
  readonly keptMetrics: Set<string>;
  /** Refused metrics that were announced, by device and name: once per run. */
  readonly toldMetrics: Set<string>;
}

/** A run at the point where its record ends. */
export const openRun = async (plan: RunPlan, ports: RunPorts, control: Control): Promise<RunInProgress> => {
  const { algorithm, model, run } = plan;
  const initSeed = deriveSeed(run.seed, "initial-weights");
  const history = [...ports.history.rounds(run.id)];
  return {
    ...plan,
    ports,
    control,
    travels: model.parameters.filter((spec) => !algorithm.keeps(spec)),
    keeps: model.parameters.filter((spec) => algorithm.keeps(spec)).map(({ name }) => name),
    initSeed,
    at: await findPosition(plan, ports, initSeed),
    history,
    trainedNow: new Set(),
    hasMet: false,
    lastFailure: "no device answered",
    keptMetrics: keptNames(plan.study.metrics, history),
    toldMetrics: new Set(),
  };
};

/** The global values of the parameters that travel, in the model's order. */
export const travellingWeights = ({ at, travels }: Pick<RunInProgress, "at" | "travels">) => {
  const names = new Set(travels.map(({ name }) => name));
  return at.weights.filter(({ name }) => names.has(name));
};
