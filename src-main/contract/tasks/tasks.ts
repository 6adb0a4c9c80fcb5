import { type Metric, metricOf, type ReportedMetrics } from "#contract/metrics.ts";
import { classification } from "./classification.ts";
import type { TaskDefinition } from "./task.ts";

/** The tasks that the lab knows: a new one is its file and one line here. */
export const TASKS = { classification } as const satisfies Record<string, TaskDefinition>;

export type TaskName = keyof typeof TASKS;
export const TASK_NAMES = Object.keys(TASKS) as [TaskName, ...TaskName[]];

export const taskOf = (name: TaskName): TaskDefinition => TASKS[name];

/**
 * The metrics of a study, in the order in which they are shown: those of its task (the primary one first), those that
 * its file describes, then what its clients reported besides.
 * @param reported ids that were seen in its rounds @param classes 0 where that is not known or differs
 */
export const metricsOf = (
  study: { readonly task: TaskName; readonly metrics?: ReportedMetrics | undefined },
  reported: Iterable<string> = [],
  classes = 0,
): readonly Metric[] => {
  const described = study.metrics ?? {};
  const ids = new Set<string>([...taskOf(study.task).metrics, ...Object.keys(described)]);
  for (const id of [...reported].sort()) ids.add(id);
  return [...ids].map((id) => metricOf(id, described, classes));
};
