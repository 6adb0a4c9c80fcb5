import type { RunStatus } from "#contract/events.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import { type ReportInput, type ReportRun, reportedIn } from "#main/reports/summary.ts";

/** A run whose accuracies (rounds 1, 2, …) are given; the loss of each round is 1 - accuracy. */
export const sampleRun = (
  algorithm: string,
  trial: number,
  accuracies: readonly (number | null)[],
  status: RunStatus = "done",
  reason?: string,
): ReportRun => ({
  algorithm,
  trial,
  seed: 100 + trial,
  status,
  ...(reason === undefined ? {} : { reason }),
  rounds: accuracies.map((accuracy, i) => ({
    round: i + 1,
    metrics: { accuracy, loss: accuracy === null ? null : 1 - accuracy },
  })),
});

/** @param classes how many the data have; 0 where that is not known */
export const sampleInput = (
  runs: readonly ReportRun[],
  changes: Partial<ReportInput["study"]> = {},
  classes = 10,
) =>
  ({
    study: {
      id: "s-7k3f9q",
      name: "forgetting",
      model: "Net",
      dataset: "fashion-mnist-sample",
      rounds: 3,
      ...changes,
    },
    metrics: metricsOf({ task: "classification" }, reportedIn(runs), classes),
    runs,
  }) satisfies ReportInput;

/** The figures of the original project's table: FedAvg vs. FedNTD over three trials. */
export const originalTable = (classes = 10) =>
  sampleInput(
    [
      sampleRun("fedavg", 1, [0.2, 0.6, 0.5431]),
      sampleRun("fedntd", 1, [0.3, 0.5, 0.6672]),
      sampleRun("fedavg", 2, [0.2, 0.3, 0.5884]),
      sampleRun("fedntd", 2, [0.3, 0.7, 0.6513]),
      sampleRun("fedavg", 3, [0.2, 0.3, 0.5155]),
      sampleRun("fedntd", 3, [0.3, 0.5, 0.6455]),
    ],
    {},
    classes,
  );

/** Names that break careless formats. */
export const NASTY = [
  "a|b",
  "a & b",
  "100 % of_it",
  'say "hi", twice',
  "two\nlines\r\nand\ttabs",
  "\u001b[31mred\u001b[0m",
  "C:\\temp\\{x}^2~#$",
  "[bracket] *star* `tick` <b>",
  "車両再識別 – naïve ± 🚗",
  "right\u202Eleft",
  "x".repeat(300),
  "= 1+1",
  "",
];
