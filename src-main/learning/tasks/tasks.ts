import type { Evaluation } from "#contract/jobs.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";
import type { Engine } from "#main/learning/engines/engine.ts";
import { classification } from "./classification.ts";
import type { Task, TaskInput } from "./task.ts";

const TASKS: Readonly<Record<TaskName, Task>> = { classification };

export interface EvaluateInput extends TaskInput {
  readonly task: TaskName;
}

/** Judges a model as its task says; see Task. */
export const evaluateModel = (engine: Engine, { task, ...input }: EvaluateInput): Promise<Evaluation> =>
  TASKS[task].evaluate(engine, input);
