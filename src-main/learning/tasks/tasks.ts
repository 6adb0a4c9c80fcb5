import type { Evaluation, TaskId } from "#contract/jobs.ts";
import type { Engine } from "#main/learning/engines/engine.ts";
import { classification } from "./classification.ts";
import type { Task, TaskInput } from "./task.ts";

const TASKS: Readonly<Record<TaskId, Task>> = { classification };

export interface EvaluateInput extends TaskInput {
  readonly task: TaskId;
}

/** Judges a model as its task says; see Task. */
export const evaluateModel = (engine: Engine, { task, ...input }: EvaluateInput): Promise<Evaluation> =>
  TASKS[task].evaluate(engine, input);
