import { titleOfAlgorithm, traitsOf } from "#contract/algorithms/algorithms.ts";
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

/** "0.05 in FedAvg · A; 0.1 in FedAvg · B" */
const valuesByRow = (pairs: readonly (readonly [value: string, title: string])[]): string => {
  const titles = Map.groupBy(pairs, ([value]) => value);
  return some(
    [...titles].map(([value, of]) => `${value} in ${some([...new Set(of.map(([, title]) => title))], ", ")}`),
    "; ",
  );
};

const short = (sha: string): string => sha.slice(0, 8);

const areSame = (values: readonly unknown[]): boolean => new Set(values).size < 2;

const spelled = (rows: readonly ComparedRow[], { path, values }: Difference): string =>
  `${path}: ${valuesByRow(rows.flatMap(({ title, algorithm }, i) => ((ownerOf(path) ?? algorithm) === algorithm ? [[values[i]!, title] as const] : [])))}`;

const sentence = (parts: readonly string[]): string => `${some(parts, "; ")}.`;

/**
 * Whether the rows are a fair comparison: does only the algorithm differ between them? Each check says in one sentence
 * what is the same, or what is not. Anything unknown counts as the same within one study, because its runs share it,
 * and as different between studies.
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
    const which = rows.map(({ study, title }) => [short(study.partitionSha ?? "none"), title] as const);
    return { about: "partition", ok: false, text: `Different partitions: ${valuesByRow(which)}.` };
  }
  if (sha !== undefined) return { about: "partition", ok: true, text: `Same partition (${short(sha)}).` };
  return {
    about: "partition",
    ok: isOneStudy,
    text: isOneStudy
      ? "Only external devices hold data; the lab cannot see how it is split. All rows are from one study and share it."
      : "Only external devices hold data; the lab cannot tell whether it is the same in these studies.",
  };
};

const weights = (rows: readonly ComparedRow[], isOneStudy: boolean): FairnessCheck => {
  const about = "weights";
  const known = rows.flatMap(({ title, algorithm, runs }) =>
    runs.map((run) => ({
      title,
      trial: run.trial,
      // the server has no weights of a head that stays on the devices: checksums over other parameters do not compare
      part: traitsOf(algorithm).keepsHead ? algorithm : "",
      sha: run.rounds.find(({ round }) => round === 0)?.weightsSha256,
    })),
  );
  const begun = known.flatMap(({ sha, ...run }) => (sha === undefined ? [] : [{ ...run, sha }]));
  for (const same of Map.groupBy(begun, ({ trial, part }) => `${trial} ${part}`).values()) {
    if (areSame(same.map(({ sha }) => sha))) continue;
    const which = valuesByRow(same.map(({ sha, title }) => [short(sha), title] as const));
    return { about, ok: false, text: `Different initial weights in trial ${same[0]!.trial}: ${which}.` };
  }
  const late = known.length - begun.length;
  const waiting = late === 1 ? "one run has not started yet" : `${late} runs have not started yet`;
  if (late > 0 && !isOneStudy) {
    return { about, ok: false, text: `The initial weights cannot be compared yet: ${waiting}.` };
  }
  if (areSame(known.map(({ part }) => part))) {
    const first = begun[0] === undefined ? "" : ` (trial ${begun[0].trial}: ${short(begun[0].sha)})`;
    const rest = late > 0 ? `; ${waiting}` : "";
    return { about, ok: true, text: `Same initial weights in each trial${first}${rest}.` };
  }
  if (isOneStudy) {
    return {
      about,
      ok: true,
      text: "Same initial weights in each trial, including the parameters that stay on the devices.",
    };
  }
  return {
    about,
    ok: false,
    text: "The initial weights cannot be compared: in some rows, part of the model stays on the devices.",
  };
};

const seeds = (rows: readonly ComparedRow[], differing: readonly Difference[]): FairnessCheck => {
  const runs = rows.flatMap(({ title, runs }) => runs.map(({ trial, seed }) => ({ title, trial, seed })));
  const unlike = [...Map.groupBy(runs, ({ trial }) => trial).values()]
    .filter((same) => !areSame(same.map(({ seed }) => seed)))
    .map(
      (same) =>
        `seed of trial ${same[0]!.trial}: ${valuesByRow(same.map(({ seed, title }) => [String(seed), title] as const))}`,
    );
  const reasons = [...unlike, ...differing.map((difference) => spelled(rows, difference))];
  if (reasons.length === 0) return { about: "seeds", ok: true, text: "Same seeds and client draws." };
  return { about: "seeds", ok: false, text: `Different seeds or client draws: ${sentence(reasons)}` };
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
    return {
      about: "data",
      ok: false,
      text: `The lab cannot tell whether ${of(rows[0]!)} is the same data in these studies.`,
    };
  }
  const which = valuesByRow(rows.map((row) => [of(row), row.title] as const));
  return { about: "data", ok: false, text: `Different data: ${which}.` };
};

const engine = (rows: readonly ComparedRow[]): FairnessCheck => {
  const used = rows.flatMap(({ title, study, runs }) =>
    runs.map((run) => {
      const { kind, version } = run.engine ?? study.engine;
      return [`${kind} ${version}`, title] as const;
    }),
  );
  if (areSame(used.map(([name]) => name))) {
    return { about: "engine", ok: true, text: `Same engine (${used[0]![0]}).` };
  }
  return {
    about: "engine",
    ok: false,
    text: `Different engines, which differ in the last digits: ${valuesByRow(used)}.`,
  };
};

const trials = (rows: readonly ComparedRow[], table: Table): FairnessCheck => {
  const lacking = table.rows.flatMap(({ cells }, i) => {
    const none = cells.filter(({ value }) => value === null).map(({ trial }) => String(trial));
    const which = `trial${none.length > 1 ? "s" : ""} ${some(none, ", ")}`;
    return none.length === 0 ? [] : [`${rows[i]!.title} has no figure for ${which}`];
  });
  if (lacking.length > 0) {
    return { about: "trials", ok: false, text: `Different trials: ${sentence(lacking)}` };
  }
  const { length } = table.trials;
  return { about: "trials", ok: true, text: `Same trials (${length}); every row has a figure for each.` };
};

const evaluation = (rows: readonly ComparedRow[], differing: readonly Difference[]): FairnessCheck => {
  if (differing.length > 0) {
    const reasons = differing.map((difference) => spelled(rows, difference));
    return { about: "evaluation", ok: false, text: `Evaluated differently: ${sentence(reasons)}` };
  }
  const { central } = rows[0]!.study.settings.evaluation;
  const where = central ? "on the server, on the whole test set" : "on the devices, on their test data";
  return { about: "evaluation", ok: true, text: `Evaluated the same way: ${where}.` };
};

/** Settings that another check covers. */
const ELSEWHERE = ["sampling", "fleet", "evaluation", "dataset", "partition", "trials", "seed"];

const settings = (rows: readonly ComparedRow[], differences: readonly Difference[]): FairnessCheck => {
  const others = differences.filter(({ path }) => !isWithin(path, ELSEWHERE));
  const shared = others.filter(({ path }) => ownerOf(path) === undefined);
  if (shared.length > 0) {
    const reasons = shared.map((difference) => spelled(rows, difference));
    return { about: "settings", ok: false, text: `More than the algorithm differs: ${sentence(reasons)}` };
  }
  const own = others.map((difference) => spelled(rows, difference));
  const algorithms = [...new Set(rows.map(({ algorithm }) => titleOfAlgorithm(algorithm)))];
  const what = [...(algorithms.length > 1 ? [algorithms.join(", ")] : []), ...own];
  return {
    about: "settings",
    ok: true,
    text: what.length === 0 ? "All settings are the same." : `Only the algorithm differs: ${sentence(what)}`,
  };
};
