import { type AlgorithmName, titleOfAlgorithm, toAlgorithmName } from "#contract/algorithms/algorithms.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import { shortName } from "#contract/short-name.ts";
import type { Study } from "#contract/study.ts";
import { byAlgorithm, type ReportRun } from "./summary.ts";

export interface ComparedRun extends ReportRun {
  readonly id: string;
  /** Undefined before it started. */
  readonly engine?: EngineInfo;
}

/** A study with the runs that are compared. */
export interface ComparedStudy {
  readonly id: string;
  readonly name: string;
  readonly settings: Study;
  /** Class names; empty where the lab does not know them. */
  readonly classes: readonly string[];
  readonly partitionSha?: string;
  readonly datasetSha?: string;
  readonly engine: EngineInfo;
  readonly runs: readonly ComparedRun[];
}

/** The runs of one algorithm of one study. */
export interface ComparedRow {
  readonly label: string;
  /** The same, as people read it. */
  readonly title: string;
  readonly algorithm: AlgorithmName;
  readonly study: ComparedStudy;
  readonly runs: readonly ComparedRun[];
}

/** For sentences: a study's name may have 200 characters. */
export const withShortNames = (studies: readonly ComparedStudy[]): readonly ComparedStudy[] =>
  studies.map((study) => ({ ...study, name: shortName(study.name) }));

/** One row per study and algorithm; studies are told apart by name, and by id where names are equal. */
export const rowsOf = (studies: readonly ComparedStudy[]): ComparedRow[] =>
  studies.flatMap((study) => {
    const isAlone = studies.every(({ id, name }) => id === study.id || name !== study.name);
    const title = isAlone ? study.name : `${study.name} (${study.id})`;
    const named = (algorithm: string) => (studies.length === 1 ? algorithm : `${algorithm} · ${title}`);
    return byAlgorithm(study.runs).map(([algorithm, runs]) => ({
      label: named(algorithm),
      title: named(titleOfAlgorithm(algorithm)),
      algorithm: toAlgorithmName(algorithm),
      study,
      runs,
    }));
  });
