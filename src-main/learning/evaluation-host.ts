import type { Parent } from "#contract/child.ts";
import type { Dataset, DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import type { EvaluationJob, FromWorker, ToWorker } from "./evaluation-job.ts";
import type { Learner } from "./learning.ts";

export interface EvaluationHostPorts {
  readonly parent: Parent;
  openLearner(): Promise<Learner>;
  loadDataset(location: DatasetLocation): Promise<Dataset>;
  readCheckpoint(path: string): Promise<readonly NamedTensor[]>;
}

/** The weights in the model's own order: a safetensors file may list its tensors in any. */
const inOrder = (tensors: readonly NamedTensor[], names: readonly string[]): NamedTensor[] => {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return names.map((name) => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new UserError(`the checkpoint has no tensor ${name}`);
    return tensor;
  });
};

/**
 * The worker's side of `createEvaluator`: answers the parent's jobs one after the other until the parent goes.
 * The engine is opened at the first job; the data set of the last job stays in memory.
 */
export const runEvaluationHost = (
  ports: EvaluationHostPorts,
  parameterNames: (job: EvaluationJob) => readonly string[],
): void => {
  let learner: Promise<Learner> | undefined;
  let cached: { key: string; dataset: Promise<Dataset> } | undefined;
  let queue: Promise<void> = Promise.resolve();

  const openLearner = (): Promise<Learner> => {
    learner ??= ports.openLearner();
    return learner;
  };
  const dataset = (location: DatasetLocation): Promise<Dataset> => {
    const key = JSON.stringify([location.name, location.format, location.path]);
    if (cached?.key !== key) cached = { key, dataset: ports.loadDataset(location) };
    return cached.dataset;
  };
  const answer = async (message: ToWorker): Promise<FromWorker> => {
    const { id } = message;
    const { evaluate, engine } = await openLearner();
    if (message.kind === "engine") return { kind: "engine", id, engine: engine.info };
    const { job } = message;
    const [data, tensors] = await Promise.all([dataset(job.dataset), ports.readCheckpoint(job.checkpoint)]);
    const evaluation = await evaluate({
      weights: inOrder(tensors, parameterNames(job)),
      model: job.model,
      numClasses: job.numClasses,
      feature: job.feature,
      task: job.task,
      test: data.test,
      mean: data.mean,
      std: data.std,
    });
    return { kind: "evaluation", id, evaluation };
  };
  const { parent } = ports;
  const failed = (id: number, error: unknown): FromWorker => {
    const known = error instanceof Error ? error : new Error(String(error));
    return {
      kind: "failed",
      id,
      message: known.message,
      stack: known.stack ?? "",
      ...(known instanceof UserError ? { exitCode: known.exitCode } : {}),
    };
  };

  parent.onMessage((received) => {
    const message = received as ToWorker;
    queue = queue
      .then(() => answer(message))
      .catch((error: unknown) => {
        // A data set that could not be read may have been mended by the next job.
        cached = undefined;
        return failed(message.id, error);
      })
      .then((answered) => parent.send(answered));
  });
};
