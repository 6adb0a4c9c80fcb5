import type { RunRow } from "#contract/views.ts";

/** What is compared: whole studies and single runs, in the order in which they were chosen. */
export interface Chosen {
  readonly studies: readonly string[];
  readonly runs: readonly string[];
}

export const NOTHING: Chosen = { studies: [], runs: [] };

export const isNothing = ({ studies, runs }: Chosen): boolean => studies.length + runs.length === 0;

const without = (ids: readonly string[], ...gone: readonly string[]) =>
  ids.filter((id) => !gone.includes(id));

/** `known`: the study's runs, if they were looked at; a whole study needs none of them by itself. */
export const withStudy = (
  { studies, runs }: Chosen,
  study: string,
  isWanted: boolean,
  known: readonly RunRow[] = [],
): Chosen => ({
  studies: isWanted ? [...without(studies, study), study] : without(studies, study),
  runs: without(runs, ...known.map(({ id }) => id)),
});

/** A run taken out of a whole study leaves its other runs; all of them make the study whole. */
export const withRun = (chosen: Chosen, run: RunRow, isWanted: boolean, known: readonly RunRow[]): Chosen => {
  const all = known.map(({ id }) => id);
  const before = chosen.studies.includes(run.study) ? all : all.filter((id) => chosen.runs.includes(id));
  const after = isWanted ? all.filter((id) => id === run.id || before.includes(id)) : without(before, run.id);
  if (after.length === all.length) return withStudy(chosen, run.study, true, known);
  return {
    studies: without(chosen.studies, run.study),
    runs: [...without(chosen.runs, ...all), ...after],
  };
};

/** Without some runs of a study; `all` are those of it that are compared. */
export const withoutRuns = (
  { studies, runs }: Chosen,
  study: string,
  gone: readonly string[],
  all: readonly string[],
): Chosen =>
  studies.includes(study)
    ? { studies: without(studies, study), runs: [...without(runs, ...all), ...without(all, ...gone)] }
    : { studies, runs: without(runs, ...gone) };
