import { expect, test } from "vitest";
import { MODEL_NAMES } from "#contract/jobs.ts";
import { isKnownMetric, reportedMetricsSchema } from "#contract/metrics.ts";
import { parseStudy } from "#contract/study.ts";
import { metricsOf, TASK_NAMES, TASKS, taskOf } from "#contract/tasks/tasks.ts";

test.each(TASK_NAMES)("%s is complete", (name) => {
  const { title, about, models, partitions, metrics } = taskOf(name);
  expect(taskOf(name).name).toBe(name);
  expect(Object.keys(TASKS)).toContain(name);
  expect(title).toMatch(/^[A-Z]/);
  expect(about).toMatch(/^[A-Z].+\.$/);
  expect(models.length).toBeGreaterThan(0);
  for (const model of models) expect(MODEL_NAMES).toContain(model);
  expect(new Set(partitions).size).toBe(partitions.length);
  expect(metrics.every(isKnownMetric)).toBe(true);
  expect(new Set(metrics).size).toBe(metrics.length);
});

test.each(TASK_NAMES)("a study of %s takes each of its models and partitions", (task) => {
  const settings: Record<string, object> = { dirichlet: { alpha: 0.5 }, "class-skew": { classes: 2 } };
  const { models, partitions } = taskOf(task);
  for (const model of models) {
    for (const kind of partitions) {
      const study = {
        name: "t",
        task,
        dataset: "d",
        model,
        algorithms: ["fedavg"],
        partition: { kind, ...settings[kind] },
        fleet: { virtual: 2 },
        rounds: 1,
        optimizer: { lr: 0.1 },
      };
      expect(parseStudy(study)).toMatchObject({ ok: true });
    }
  }
});

test("a study's metrics: those of its task, then those of its file, then what was reported, by name", () => {
  const metrics = reportedMetricsSchema.parse({ zeta: {}, rank10: { title: "Rank-10" } });
  const reported = ["rank5", "constructor", "loss", "rank10"];
  const found = metricsOf({ task: "classification", metrics }, reported, 4);
  expect(found.map(({ id }) => id)).toEqual(["accuracy", "loss", "zeta", "rank10", "constructor", "rank5"]);
  expect(found[0]!.chance).toBe(0.25);
  expect(found[3]!.title).toBe("Rank-10");
  // a study of an earlier version describes none
  expect(metricsOf({ task: "classification" }).map(({ id }) => id)).toEqual(["accuracy", "loss"]);
});
