/**
 * The registry of algorithms: what each one does on the server (a strategy), on the clients (a loss) and on the wire
 * (which parameters travel). A new algorithm is one strategy file, if it needs one, and one entry here.
 */
import type { FeatureSettings, LossSettings } from "#contract/jobs.ts";
import type { AlgorithmName, Study } from "#contract/study.ts";
import type { ParameterSpec } from "#contract/tensor.ts";
import { createFedAdam } from "./strategies/fedadam.ts";
import { createFedAvg } from "./strategies/fedavg.ts";
import { createFedAvgM } from "./strategies/fedavgm.ts";
import { createFedMedian } from "./strategies/fedmedian.ts";
import { createFedTrimmedAvg } from "./strategies/fedtrimmedavg.ts";
import { createFedYogi } from "./strategies/fedyogi.ts";
import type { Strategy } from "./strategy.ts";

export interface Algorithm {
  readonly name: AlgorithmName;
  /** As it is written in tables. */
  readonly title: string;
  /** Authors, title, venue, year. */
  readonly paper: string;
  readonly strategy: Strategy;
  /** What the clients minimise. */
  readonly loss: LossSettings;
  /** How the head of the model sees the feature, in training and in every evaluation. */
  readonly feature: FeatureSettings;
  /** Whether a parameter stays on the device: it travels in neither direction. */
  keeps(spec: ParameterSpec): boolean;
}

interface Entry {
  readonly title: string;
  readonly paper: string;
  readonly strategy?: (study: Study) => Strategy;
  readonly loss?: (study: Study) => LossSettings;
  readonly feature?: FeatureSettings;
  readonly keeps?: Algorithm["keeps"];
}

/** @throws Error for a model without parts: parameters that a client brought do not say which of them are the head. */
const isHead = ({ name, part }: ParameterSpec): boolean => {
  if (part === undefined) {
    throw new Error(
      `FedPer keeps the model's head on the device, but nothing says which part ${name} belongs to`,
    );
  }
  return part === "head";
};

const ENTRIES: Readonly<Record<AlgorithmName, Entry>> = {
  fedavg: {
    title: "FedAvg",
    paper:
      "McMahan et al., Communication-Efficient Learning of Deep Networks from Decentralized Data, AISTATS 2017",
  },
  fedprox: {
    title: "FedProx",
    paper: "Li et al., Federated Optimization in Heterogeneous Networks, MLSys 2020",
    loss: ({ fedprox }) => ({ kind: "prox", mu: fedprox.mu }),
  },
  fedntd: {
    title: "FedNTD",
    paper:
      "Lee et al., Preservation of the Global Knowledge by Not-True Distillation in Federated Learning, NeurIPS 2022",
    loss: ({ fedntd }) => ({ kind: "ntd", ...fedntd }),
  },
  fedavgm: {
    title: "FedAvgM",
    paper:
      "Hsu, Qi & Brown, Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification, 2019",
    strategy: ({ fedavgm }) => createFedAvgM(fedavgm),
  },
  fedadam: {
    title: "FedAdam",
    paper: "Reddi et al., Adaptive Federated Optimization, ICLR 2021",
    strategy: ({ fedadam }) => createFedAdam(fedadam),
  },
  fedyogi: {
    title: "FedYogi",
    paper: "Reddi et al., Adaptive Federated Optimization, ICLR 2021",
    strategy: ({ fedyogi }) => createFedYogi(fedyogi),
  },
  fedmedian: {
    title: "FedMedian",
    paper: "Yin et al., Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates, ICML 2018",
    strategy: () => createFedMedian(),
  },
  fedtrimmedavg: {
    title: "FedTrimmedAvg",
    paper: "Yin et al., Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates, ICML 2018",
    strategy: ({ fedtrimmedavg }) => createFedTrimmedAvg(fedtrimmedavg),
  },
  fedper: {
    title: "FedPer",
    paper: "Arivazhagan et al., Federated Learning with Personalization Layers, 2019",
    keeps: isHead,
  },
};

/** Whether some parameters of its clients' models never reach the server. */
export const keepsSomeOnDevices = (name: AlgorithmName): boolean => ENTRIES[name].keeps !== undefined;

/** The algorithm of a study; its strategy is fresh, made for one run. */
export const algorithmOf = (name: AlgorithmName, study: Study): Algorithm => {
  const entry = ENTRIES[name];
  return {
    name,
    title: entry.title,
    paper: entry.paper,
    strategy: entry.strategy?.(study) ?? createFedAvg(),
    loss: entry.loss?.(study) ?? { kind: "ce" },
    feature: entry.feature ?? { kind: "plain" },
    keeps: entry.keeps ?? (() => false),
  };
};
