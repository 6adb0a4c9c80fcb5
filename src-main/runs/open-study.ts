import { definitionOf, traitsOf } from "#contract/algorithms/algorithms.ts";
import type { ClassLabels, Partition } from "#contract/dataset.ts";
import { dataNames } from "#contract/fleet.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import { makePartition } from "#main/federation/partition.ts";
import { deriveSeed } from "#main/federation/random.ts";

/** A run to conduct: its algorithm, its trial, and the seed that all algorithms of the trial share. */
export interface PlannedRun {
  readonly algorithm: Study["algorithms"][number];
  /** From 1. */
  readonly trial: number;
  readonly seed: number;
}

/** What a study needs to know about its data to deal it. */
export interface Labels {
  readonly train: ClassLabels;
  readonly test: ClassLabels;
  readonly classes: number;
}

/** Runs trial by trial, so that the algorithms are comparable as soon as one trial is done. */
export const planRuns = (study: Study): readonly PlannedRun[] =>
  Array.from({ length: study.trials }, (_, i) => i + 1).flatMap((trial) =>
    study.algorithms.map((algorithm) => ({ algorithm, trial, seed: deriveSeed(study.seed, "trial", trial) })),
  );

/** Problems of a study that no single field shows, and for which the data is not needed. */
export const problemsWithoutData = (study: Study): StudyProblem[] =>
  study.model !== "from-client"
    ? []
    : study.algorithms.flatMap((name, i) =>
        traitsOf(name).needsBuffers
          ? {
              path: `algorithms[${i}]`,
              message: `${definitionOf(name).title} must know which parameters are BatchNorm buffers; model: from-client does not tell. Choose one of the lab's models`,
            }
          : [],
      );

/** Problems with the boards that a study names. */
export const problemsWithBoards = (study: Study, isBoard: (name: string) => boolean): StudyProblem[] =>
  (study.fleet.devices ?? []).flatMap((name, i) =>
    isBoard(name)
      ? []
      : {
          path: `fleet.devices[${i}]`,
          message: `there is no board called ${name}; add it on the fleet page, or choose another`,
        },
  );

/**
 * Checks a study against its data and determines its partition.
 * @returns the partition (undefined where no device takes its data from this computer), or the problems by field.
 */
export const openStudy = (
  study: Study,
  labels: Labels | undefined,
  sha256: (text: string) => string,
): { ok: true; partition: Partition | undefined } | { ok: false; problems: readonly StudyProblem[] } => {
  const problems = problemsWithoutData(study);
  if (problems.length > 0) return { ok: false, problems };
  const clients = dataNames(study.fleet).length;
  if (clients === 0) return { ok: true, partition: undefined };
  if (labels === undefined) throw new Error("a fleet with data on this computer needs labels");
  const made = makePartition({
    settings: study.partition,
    trainLabels: labels.train,
    testLabels: labels.test,
    classes: labels.classes,
    clients,
    seed: deriveSeed(study.seed, "partition"),
    sha256,
  });
  return made.ok ? { ok: true, partition: made.value } : { ok: false, problems: [made.failure] };
};
