import { traitsOf } from "#contract/algorithms/algorithms.ts";
import type { FairnessCheck } from "#contract/views.ts";
import type { ComparedRow } from "./compared.ts";
import { type Difference, isWithin, ownerOf } from "./settings.ts";
import type { Table } from "./summary.ts";

/** How many values of a difference, and rows of each, a sentence names. */
const NAMED = 3;

const some = (items: readonly string[], separator: string): string =>
  items.length <= NAMED
    ? items.join(separator)
    : `${items.slice(0, NAMED).join(separator)} and ${items.length - NAMED} more`;

/** "0.05 in fedavg · A; 0.1 in fedavg · B" */
const whoHasWhat = (pairs: readonly (readonly [value: string, label: string])[]): string => {
  const labels = Map.groupBy(pairs, ([value]) => value);
  return some(
    [...labels].map(([value, of]) => `${value} in ${some([...new Set(of.map(([, label]) => label))], ", ")}`),
    "; ",
  );
};

const short = (sha: string): string => sha.slice(0, 8);

const areSame = (values: readonly unknown[]): boolean => new Set(values).size < 2;

const spelled = (rows: readonly ComparedRow[], { path, values }: Difference): string =>
  `${path}: ${whoHasWhat(rows.flatMap(({ label, algorithm }, i) => ((ownerOf(path) ?? algorithm) === algorithm ? [[values[i]!, label] as const] : [])))}`;

const sentence = (parts: readonly string[]): string => `${some(parts, "; ")}.`;

/**
 * Are the rows a fair pair: is the algorithm all that differs between them? Each check says in one sentence what is
 * the same, or what is not. What cannot be seen from here counts as the same within one study, whose runs share it,
 * and as not the same between studies.
 */
export const fairnessOf = (
  rows: readonly ComparedRow[],
  table: Table,
  differences: readonly Difference[],
): FairnessCheck[] => {
  const isOneStudy = areSame(rows.map(({ study }) => study.id));
  const differing = (...roots: string[]) => differences.filter(({ path }) => isWithin(path, roots));
  return [
    partition(rows, isOneStudy),
    weights(rows, isOneStudy),
    seeds(rows, differing("sampling", "fleet")),
    data(rows, isOneStudy),
    engine(rows),
    trials(rows, table),
    evaluation(rows, differing("evaluation")),
    settings(rows, differences),
  ];
};

const partition = (rows: readonly ComparedRow[], isOneStudy: boolean): FairnessCheck => {
  const shas = rows.map(({ study }) => study.partitionSha);
  const [sha] = shas;
  if (!areSame(shas)) {
    const who = rows.map(({ study, label }) => [short(study.partitionSha ?? "none"), label] as const);
    return { about: "partition", ok: false, text: `Not the same partition: ${whoHasWhat(who)}.` };
  }
  if (sha !== undefined) return { about: "partition", ok: true, text: `Same partition (${short(sha)}).` };
  return {
    about: "partition",
    ok: isOneStudy,
    text: isOneStudy
      ? "One study, whose external devices alone hold data: what they hold cannot be seen from here."
      : "Only external devices hold data: whether it is the same cannot be seen from here.",
  };
};

const weights = (rows: readonly ComparedRow[], isOneStudy: boolean): FairnessCheck => {
  const about = "weights";
  const known = rows.flatMap(({ label, algorithm, runs }) =>
    runs.map((run) => ({
      label,
      trial: run.trial,
      // of what stays on the devices the server has no weights: sums over other parameters cannot be compared
      part: traitsOf(algorithm).keepsHead ? algorithm : "",
      sha: run.rounds.find(({ round }) => round === 0)?.weightsSha256,
    })),
  );
  const begun = known.flatMap(({ sha, ...run }) => (sha === undefined ? [] : [{ ...run, sha }]));
  for (const same of Map.groupBy(begun, ({ trial, part }) => `${trial} ${part}`).values()) {
    if (areSame(same.map(({ sha }) => sha))) continue;
    const who = whoHasWhat(same.map(({ sha, label }) => [short(sha), label] as const));
    return { about, ok: false, text: `Not the same first weights in trial ${same[0]!.trial}: ${who}.` };
  }
  const late = known.length - begun.length;
  const waiting = late === 1 ? "one run has not begun yet" : `${late} runs have not begun yet`;
  if (late > 0 && !isOneStudy) {
    return { about, ok: false, text: `Whether the first weights are the same cannot be said: ${waiting}.` };
  }
  if (areSame(known.map(({ part }) => part))) {
    const first = begun[0] === undefined ? "" : ` (trial ${begun[0].trial}: ${short(begun[0].sha)})`;
    const rest = late > 0 ? `; ${waiting}` : "";
    return { about, ok: true, text: `Same first weights in each trial${first}${rest}.` };
  }
  if (isOneStudy) {
    return { about, ok: true, text: "Same first weights in each trial, also of what stays on the devices." };
  }
  return {
    about,
    ok: false,
    text: "Whether the first weights are the same cannot be said: a part of some of them stays on the devices.",
  };
};

const seeds = (rows: readonly ComparedRow[], differing: readonly Difference[]): FairnessCheck => {
  const runs = rows.flatMap(({ label, runs }) => runs.map(({ trial, seed }) => ({ label, trial, seed })));
  const unlike = [...Map.groupBy(runs, ({ trial }) => trial).values()]
    .filter((same) => !areSame(same.map(({ seed }) => seed)))
    .map(
      (same) =>
        `seed of trial ${same[0]!.trial}: ${whoHasWhat(same.map(({ seed, label }) => [String(seed), label] as const))}`,
    );
  const reasons = [...unlike, ...differing.map((difference) => spelled(rows, difference))];
  if (reasons.length === 0) return { about: "seeds", ok: true, text: "Same seeds and client draws." };
  return { about: "seeds", ok: false, text: `Not the same seeds and client draws: ${sentence(reasons)}` };
};

const data = (rows: readonly ComparedRow[], isOneStudy: boolean): FairnessCheck => {
  const of = ({ study }: ComparedRow) =>
    `${study.settings.dataset}${study.datasetSha === undefined ? "" : ` (${short(study.datasetSha)})`}`;
  const shas = rows.map(({ study }) => study.datasetSha);
  const isKnown = shas.every((sha) => sha !== undefined);
  if (isKnown ? areSame(shas) : isOneStudy) {
    return { about: "data", ok: true, text: `Same data: ${of(rows[0]!)}.` };
  }
  if (!isKnown && areSame(rows.map(of))) {
    return { about: "data", ok: false, text: `Whether ${of(rows[0]!)} is the same data cannot be said.` };
  }
  const who = whoHasWhat(rows.map((row) => [of(row), row.label] as const));
  return { about: "data", ok: false, text: `Not the same data: ${who}.` };
};

const engine = (rows: readonly ComparedRow[]): FairnessCheck => {
  const used = rows.flatMap(({ label, study, runs }) =>
    runs.map((run) => {
      const { kind, version } = run.engine ?? study.engine;
      return [`${kind} ${version}`, label] as const;
    }),
  );
  if (areSame(used.map(([name]) => name))) {
    return { about: "engine", ok: true, text: `Same engine (${used[0]![0]}).` };
  }
  return {
    about: "engine",
    ok: false,
    text: `Not the same engine, whose last digits differ: ${whoHasWhat(used)}.`,
  };
};

const trials = (rows: readonly ComparedRow[], table: Table): FairnessCheck => {
  const lacking = table.rows.flatMap(({ cells }, i) => {
    const none = cells.filter(({ value }) => value === null).map(({ trial }) => String(trial));
    const which = `trial${none.length > 1 ? "s" : ""} ${some(none, ", ")}`;
    return none.length === 0 ? [] : [`${rows[i]!.label} has no figure for ${which}`];
  });
  if (lacking.length > 0) {
    return { about: "trials", ok: false, text: `Not the same trials: ${sentence(lacking)}` };
  }
  const { length } = table.trials;
  return { about: "trials", ok: true, text: `Same trials (${length}), with a figure in every row.` };
};

const evaluation = (rows: readonly ComparedRow[], differing: readonly Difference[]): FairnessCheck => {
  if (differing.length > 0) {
    const reasons = differing.map((difference) => spelled(rows, difference));
    return { about: "evaluation", ok: false, text: `Not evaluated alike: ${sentence(reasons)}` };
  }
  const { central } = rows[0]!.study.settings.evaluation;
  const where = central ? "on the server, on the whole test set" : "on the devices, on their test data";
  return { about: "evaluation", ok: true, text: `Evaluated alike: ${where}.` };
};

/** What another check is about, in its own words. */
const ELSEWHERE = ["sampling", "fleet", "evaluation", "dataset", "partition", "trials", "seed"];

const settings = (rows: readonly ComparedRow[], differences: readonly Difference[]): FairnessCheck => {
  const others = differences.filter(({ path }) => !isWithin(path, ELSEWHERE));
  const shared = others.filter(({ path }) => ownerOf(path) === undefined);
  if (shared.length > 0) {
    const reasons = shared.map((difference) => spelled(rows, difference));
    return { about: "settings", ok: false, text: `More than the algorithm differs: ${sentence(reasons)}` };
  }
  const own = others.map((difference) => spelled(rows, difference));
  const algorithms = [...new Set(rows.map(({ algorithm }) => algorithm))];
  const what = [...(algorithms.length > 1 ? [algorithms.join(", ")] : []), ...own];
  return {
    about: "settings",
    ok: true,
    text: what.length === 0 ? "All settings are the same." : `Only the algorithm differs: ${sentence(what)}`,
  };
};
