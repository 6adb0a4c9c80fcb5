/**
 * What each algorithm is on the server, on the clients and on the wire: put together from its definition
 * (contract/algorithms) and from the strategy that combines its updates.
 */
import { ALGORITHMS, type AlgorithmName, type StrategyName } from "#contract/algorithms/algorithms.ts";
import type { AlgorithmDefinition } from "#contract/algorithms/definition.ts";
import type { FeatureSettings, LossSettings } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import type { ParameterSpec } from "#contract/tensor.ts";
import { createFedAdam } from "./strategies/fedadam.ts";
import { createFedAvg } from "./strategies/fedavg.ts";
import { createFedAvgM } from "./strategies/fedavgm.ts";
import { createFedExP } from "./strategies/fedexp.ts";
import { createFedMedian } from "./strategies/fedmedian.ts";
import { createFedTrimmedAvg } from "./strategies/fedtrimmedavg.ts";
import { createFedYogi } from "./strategies/fedyogi.ts";
import type { Strategy } from "./strategy.ts";

/** An algorithm with its settings, ready to be run. */
export interface Algorithm {
  readonly name: AlgorithmName;
  readonly strategy: Strategy;
  /** What the clients minimise. */
  readonly loss: LossSettings;
  /** How the head sees the feature, in training and in every evaluation. */
  readonly feature: FeatureSettings;
  /** Whether a parameter stays on the device: it travels in neither direction. */
  keeps(spec: ParameterSpec): boolean;
}

/** How updates are combined, by name: an algorithm that needs another way has its file in strategies and a line here. */
const STRATEGIES: Readonly<Record<StrategyName, (study: Study) => Strategy>> = {
  fedavg: createFedAvg,
  fedavgm: ({ fedavgm }) => createFedAvgM(fedavgm),
  fedadam: ({ fedadam }) => createFedAdam(fedadam),
  fedyogi: ({ fedyogi }) => createFedYogi(fedyogi),
  fedexp: ({ fedexp }) => createFedExP(fedexp),
  fedmedian: createFedMedian,
  fedtrimmedavg: ({ fedtrimmedavg }) => createFedTrimmedAvg(fedtrimmedavg),
};

/** @throws Error for a model without parts: parameters that a client brought do not say which of them are the head. */
const isHead = ({ name, part }: ParameterSpec): boolean => {
  if (part === undefined) {
    throw new Error(`a kept head needs a model with parts, but nothing says which part ${name} belongs to`);
  }
  return part === "head";
};

/** The algorithm of a study; its strategy is fresh, made for one run. */
export const algorithmOf = (name: AlgorithmName, study: Study): Algorithm => {
  const { strategy } = ALGORITHMS[name];
  const { recipe, traits }: AlgorithmDefinition = ALGORITHMS[name];
  const own: Readonly<Record<string, unknown>> = study;
  const { loss = { kind: "ce" }, feature = { kind: "plain" } } = recipe?.(own[name]) ?? {};
  return {
    name,
    strategy: STRATEGIES[strategy](study),
    loss,
    feature,
    keeps: traits?.keepsHead ? isHead : () => false,
  };
};
