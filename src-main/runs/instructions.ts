import type { FeatureSettings, Recipe } from "#contract/jobs.ts";
import type { ConfigOut } from "#main/wire/protocol.ts";

/** The optimizer names that clients of the original repository compare with. */
const OPTIMIZER_NAMES = { sgd: "SGD", adam: "Adam", rmsprop: "RMSprop" } as const;

/**
 * An instruction as JSON. A plain feature is left out: clients of earlier versions refuse a field that they do not
 * know, and a plain feature is all that they can do.
 */
const toJson = ({ feature, ...rest }: Recipe | EvaluationInstruction): string =>
  JSON.stringify(feature.kind === "plain" ? rest : { ...rest, feature });

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

/** What a device needs to evaluate the global model, beside the original keys. */
export interface EvaluationInstruction {
  readonly round: number;
  readonly run: string;
  readonly model: string;
  readonly numClasses: number;
  readonly feature: FeatureSettings;
  readonly keeps: readonly string[];
  readonly keptFrom: number;
  readonly initSeed: number;
}

export const evaluateConfig = (instruction: EvaluationInstruction, batchSize: number): ConfigOut => ({
  batch_size: { kind: "int", value: batchSize },
  num_workers: { kind: "int", value: 0 },
  pin_memory: { kind: "bool", value: false },
  epoch_global: { kind: "int", value: instruction.round },
  server_round: { kind: "int", value: instruction.round },
  fedfleet: { kind: "string", value: toJson(instruction) },
});
