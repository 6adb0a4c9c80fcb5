/** Entry of the worker process that evaluates global models. It wires rooms together and holds no logic. */
import { loadDataset } from "#main/datasets/datasets.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { runEvaluationHost } from "#main/learning/evaluation-host.ts";
import { createLearner } from "#main/learning/learning.ts";
import { modelParameters } from "#main/learning/models/models.ts";
import { readSafetensors } from "#main/store/safetensors.ts";
import { connectParent } from "./parent.ts";

runEvaluationHost(
  {
    parent: connectParent(),
    openLearner: async () => createLearner(await openEngine()),
    loadDataset,
    readCheckpoint: readSafetensors,
  },
  (job) => modelParameters(job.model, job.numClasses).map((parameter) => parameter.name),
);
