import type { FeatureSettings, Recipe } from "#contract/jobs.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";
import { deriveSeed } from "#main/federation/random.ts";
import type { ConfigOut } from "#main/wire/protocol.ts";
import type { RunInProgress } from "./run-in-progress.ts";
import { keptFrom } from "./run-position.ts";

/** The only task of earlier versions: instructions do not name it. */
const FIRST_TASK: TaskName = "classification";

/** What a device does in a round: the same for all, except for the seed and the round of its kept state. */
export const recipeFor = (of: RunInProgress, round: number, device: string): Recipe => {
  const { study, run, algorithm } = of;
  const { kind, momentum, nesterov, weightDecay, lr, lrDecay } = study.optimizer;
  return {
    ...commonFor(of, round),
    localEpochs: study.localEpochs,
    batchSize: study.batchSize,
    optimizer: { kind, momentum, nesterov, weightDecay, lr: lr * lrDecay ** (round - 1) },
    loss: algorithm.loss,
    seed: deriveSeed(run.seed, "batches", round, device),
    keptFrom: of.keeps.length > 0 ? keptFrom(of.history, device, round) : 0,
  };
};

/** What a device needs to evaluate the global model of a round. */
export interface EvaluationRecipe {
  readonly round: number;
  readonly run: string;
  readonly model: string;
  readonly numClasses: number;
  readonly feature: FeatureSettings;
  readonly task: TaskName;
  readonly keeps: readonly string[];
  readonly keptFrom: number;
  readonly initSeed: number;
}

export const evaluationFor = (of: RunInProgress, round: number, device: string): EvaluationRecipe => ({
  ...commonFor(of, round),
  task: of.study.task,
  keptFrom: of.keeps.length > 0 ? keptFrom(of.history, device, round + 1, of.trainedNow) : 0,
});

const commonFor = ({ run, model, algorithm, keeps, initSeed }: RunInProgress, round: number) => ({
  round,
  run: run.id,
  model: model.name,
  numClasses: model.numClasses,
  feature: algorithm.feature,
  keeps,
  initSeed,
});

/** The optimizer names that clients of the original repository know. */
const OPTIMIZER_NAMES = { sgd: "SGD", adam: "Adam", rmsprop: "RMSprop" } as const;

/**
 * An instruction as JSON, without a plain feature and the first task: clients of earlier versions refuse unknown fields,
 * and these two are all that they support.
 */
const toJson = ({ feature, ...rest }: Recipe | EvaluationRecipe): string => {
  const { task = FIRST_TASK, ...fields } = rest as typeof rest & { readonly task?: TaskName };
  return JSON.stringify({
    ...fields,
    ...(feature.kind === "plain" ? {} : { feature }),
    ...(task === FIRST_TASK ? {} : { task }),
  });
};

/**
 * The fit configuration: the lab's recipe as JSON under `fedfleet`, and beside it every key that clients of the
 * original repository read (epochs, lr, batch_size, optimizer, num_workers, pin_memory, epoch_global), which cast
 * with int(), float() and bool(). `pin_memory` is a real bool because bool("False") is True in Python.
 * `server_round` and `proximal_mu` are Flower's own names.
 */
export const fitConfig = (recipe: Recipe): ConfigOut => ({
  epochs: { kind: "int", value: recipe.localEpochs },
  lr: { kind: "double", value: recipe.optimizer.lr },
  batch_size: { kind: "int", value: recipe.batchSize },
  optimizer: { kind: "string", value: OPTIMIZER_NAMES[recipe.optimizer.kind] },
  num_workers: { kind: "int", value: 0 },
  pin_memory: { kind: "bool", value: false },
  epoch_global: { kind: "int", value: recipe.round },
  server_round: { kind: "int", value: recipe.round },
  ...(recipe.loss.kind === "prox" ? { proximal_mu: { kind: "double", value: recipe.loss.mu } } : {}),
  fedfleet: { kind: "string", value: toJson(recipe) },
});

/** The evaluate configuration, with the original clients' keys beside the lab's own. */
export const evaluateConfig = (instruction: EvaluationRecipe, batchSize: number): ConfigOut => ({
  batch_size: { kind: "int", value: batchSize },
  num_workers: { kind: "int", value: 0 },
  pin_memory: { kind: "bool", value: false },
  epoch_global: { kind: "int", value: instruction.round },
  server_round: { kind: "int", value: instruction.round },
  fedfleet: { kind: "string", value: toJson(instruction) },
});
