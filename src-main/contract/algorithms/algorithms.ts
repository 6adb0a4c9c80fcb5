import type { TaskName } from "#contract/tasks/tasks.ts";
import type { AlgorithmDefinition, AlgorithmTraits } from "./definition.ts";
import { fedadam } from "./fedadam.ts";
import { fedavg } from "./fedavg.ts";
import { fedavgm } from "./fedavgm.ts";
import { fedexp } from "./fedexp.ts";
import { fedfn } from "./fedfn.ts";
import { fedmedian } from "./fedmedian.ts";
import { fedntd } from "./fedntd.ts";
import { fedper } from "./fedper.ts";
import { fedprox } from "./fedprox.ts";
import { fedtrimmedavg } from "./fedtrimmedavg.ts";
import { fedyogi } from "./fedyogi.ts";

/** The algorithms that the lab knows, in the order in which forms and files list them: a new one is one line here. */
export const ALGORITHMS = {
  fedavg,
  fedprox,
  fedntd,
  fedavgm,
  fedadam,
  fedyogi,
  fedexp,
  fedmedian,
  fedtrimmedavg,
  fedper,
  fedfn,
} as const satisfies Record<string, AlgorithmDefinition>;

type Registry = typeof ALGORITHMS;
export type AlgorithmName = keyof Registry;
export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as [AlgorithmName, ...AlgorithmName[]];

/** The strategies that some algorithm names. */
export type StrategyName = Registry[AlgorithmName]["strategy"];

export const definitionOf = (name: AlgorithmName): AlgorithmDefinition => ALGORITHMS[name];
export const traitsOf = (name: AlgorithmName): AlgorithmTraits => definitionOf(name).traits ?? {};

export const isAlgorithm = (name: string): name is AlgorithmName => Object.hasOwn(ALGORITHMS, name);

/** @throws Error for a name that this version does not know: such a record was written by another version. */
export const toAlgorithmName = (text: string): AlgorithmName => {
  if (!isAlgorithm(text)) throw new Error(`this version does not know the algorithm ${text}`);
  return text;
};

/** What people read; a name that this version does not know stays as it is. */
export const titleOfAlgorithm = (name: string): string => (isAlgorithm(name) ? ALGORITHMS[name].title : name);

export const algorithmsFor = (task: TaskName): readonly AlgorithmName[] =>
  ALGORITHM_NAMES.filter((name) => definitionOf(name).tasks.includes(task));

/** The schemas of their settings, each below its algorithm's name. */
type SettingsSchemas = {
  [N in AlgorithmName as Registry[N] extends { readonly settings: object } ? N : never]: Registry[N] extends {
    readonly settings: infer S;
  }
    ? S
    : never;
};
export const algorithmSettings = Object.fromEntries(
  Object.entries<AlgorithmDefinition>(ALGORITHMS).flatMap(([name, { settings }]) =>
    settings === undefined ? [] : [[name, settings]],
  ),
) as unknown as SettingsSchemas;
