/** The lab's side of the learning benchmark: one JSON task per line in, milliseconds per step or pass out. */
import { createInterface } from "node:readline";
import type { ModelName } from "#contract/jobs.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { everyIndex, formulaPictures, MEAN, recipeOf, STD } from "#test/main/learning/formula.ts";

interface Task {
  readonly task: "train" | "evaluate";
  readonly model: ModelName;
  readonly pictures: number;
  readonly batch: number;
}

const learner = createLearner(await openEngine({ threads: 2 }));
const prepared = new Map<string, ReturnType<typeof prepare>>();
const prepare = ({ model, pictures: count }: Task) => {
  const pictures = formulaPictures(count);
  return { pictures, weights: initialWeights(model, 10, 1), indices: everyIndex(pictures) };
};

console.log(JSON.stringify({ ready: learner.engine.info.version }));
for await (const line of createInterface({ input: process.stdin })) {
  const task: Task = JSON.parse(line);
  const key = `${task.model} ${task.pictures}`;
  const data = prepared.get(key) ?? prepare(task);
  prepared.set(key, data);
  const recipe = recipeOf(task.model, {
    batchSize: task.batch,
    optimizer: { lr: 0.01, momentum: 0.9, weightDecay: 1e-5 },
  });
  const { model } = task;
  const started = performance.now();
  if (task.task === "train") await learner.train({ ...data, recipe, mean: MEAN, std: STD });
  else {
    await learner.evaluate({ ...data, model, numClasses: 10, mean: MEAN, std: STD, batchSize: task.batch });
  }
  const units = task.task === "train" ? Math.ceil(task.pictures / task.batch) : 1;
  console.log(JSON.stringify({ milliseconds: (performance.now() - started) / units }));
}
