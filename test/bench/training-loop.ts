/**
 * Bench partner: a process that trains one device's share after the other, with nothing around it. What a virtual
 * fleet adds (the wire, the processes' pipes, turns) is measured against this.
 */
import { setPriority } from "node:os";
import type { DatasetLocation } from "#contract/dataset.ts";
import type { ModelName, Recipe } from "#contract/jobs.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { WORKER_NICENESS } from "#main/virtual-devices/device-host.ts";

export interface TrainingLoopJob {
  readonly dataset: DatasetLocation;
  readonly model: ModelName;
  readonly recipes: readonly Recipe[];
  readonly indices: readonly (readonly number[])[];
}

if (process.send !== undefined) {
  setPriority(WORKER_NICENESS);
  process.on("disconnect", () => process.exit(0));
  process.once("message", async (job: TrainingLoopJob) => {
    const data = await loadDataset(job.dataset);
    const learner = createLearner(await openEngine({ threads: 1 }));
    const weights = initialWeights(job.model, 10, 7);
    process.once("message", async () => {
      for (const [i, recipe] of job.recipes.entries()) {
        await learner.train({
          weights,
          recipe,
          images: data.train,
          indices: job.indices[i]!,
          mean: data.mean,
          std: data.std,
        });
      }
      process.send!("done");
    });
    process.send!("ready");
  });
}
