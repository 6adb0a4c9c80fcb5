import type { Parent } from "#contract/child.ts";
import { answerJobs, createTurns } from "#contract/child-jobs.ts";
import type { Dataset, DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { Evaluation } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import type { EvaluationJob, EvaluationWork } from "./evaluation-job.ts";
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
 * The child's side of `createEvaluator`: answers the parent's jobs one after the other until the parent goes.
 * The engine is opened at the first job; the data set of the last job stays in memory.
 */
export const runEvaluationHost = (
  ports: EvaluationHostPorts,
  parameterNames: (job: EvaluationJob) => readonly string[],
): void => {
  let learner: Promise<Learner> | undefined;
  let cached: { key: string; dataset: Promise<Dataset> } | undefined;
  const inTurn = createTurns();

  const openLearner = (): Promise<Learner> => {
    learner ??= ports.openLearner();
    return learner;
  };
  const dataset = (location: DatasetLocation): Promise<Dataset> => {
    const key = JSON.stringify([location.name, location.format, location.path]);
    if (cached?.key !== key) cached = { key, dataset: ports.loadDataset(location) };
    return cached.dataset;
  };
  const evaluate = async (job: EvaluationJob): Promise<Evaluation> => {
    const learner = await openLearner();
    const [data, tensors] = await Promise.all([dataset(job.dataset), ports.readCheckpoint(job.checkpoint)]);
    return learner.evaluate({
      weights: inOrder(tensors, parameterNames(job)),
      model: job.model,
      numClasses: job.numClasses,
      feature: job.feature,
      task: job.task,
      test: data.test,
      mean: data.mean,
      std: data.std,
    });
  };

  answerJobs<EvaluationWork>(ports.parent, {
    engine: () => inTurn(async () => (await openLearner()).engine.info),
    evaluate: (job) =>
      inTurn(() =>
        evaluate(job).catch((error: unknown) => {
          // the data set may be the cause, and a person may have fixed it by the next job
          cached = undefined;
          throw error;
        }),
      ),
  });
};
