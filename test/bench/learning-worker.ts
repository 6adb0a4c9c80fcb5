/** The lab's side of the learning benchmark: one JSON task per line in, milliseconds per step or pass out. */
import { createInterface } from "node:readline";
import type { ModelName } from "#contract/jobs.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { everyIndex, formulaImages, labelled, MEAN, recipeOf, STD } from "#test/main/learning/formula.ts";

interface Task {
  readonly task: "train" | "evaluate";
  readonly model: ModelName;
  readonly images: number;
  readonly batch: number;
}

const learner = createLearner(await openEngine({ threads: 2 }));
const prepared = new Map<string, ReturnType<typeof prepare>>();
const prepare = ({ model, images: count }: Task) => {
  const images = formulaImages(count);
  return { images, weights: initialWeights(model, 10, 1), indices: everyIndex(images) };
};

console.log(JSON.stringify({ ready: learner.engine.info.version }));
for await (const line of createInterface({ input: process.stdin })) {
  const task: Task = JSON.parse(line);
  const key = `${task.model} ${task.images}`;
  const data = prepared.get(key) ?? prepare(task);
  prepared.set(key, data);
  const recipe = recipeOf(task.model, {
    batchSize: task.batch,
    optimizer: { lr: 0.01, momentum: 0.9, weightDecay: 1e-5 },
  });
  const { model } = task;
  const started = performance.now();
  const { images, weights, indices } = data;
  const common = { weights, indices, mean: MEAN, std: STD };
  if (task.task === "train") await learner.train({ ...common, images, recipe });
  else {
    await learner.evaluate({ ...common, ...labelled(images), model, numClasses: 10, batchSize: task.batch });
  }
  const units = task.task === "train" ? Math.ceil(task.images / task.batch) : 1;
  console.log(JSON.stringify({ milliseconds: (performance.now() - started) / units }));
}
