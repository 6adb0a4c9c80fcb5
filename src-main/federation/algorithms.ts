/**
 * The registry of algorithms: what each one does on the server (a strategy), on the clients (a loss) and on the wire
 * (which parameters travel). A new algorithm is one strategy file, if it needs one, and one entry here.
 */
import type { LossSettings } from "#contract/jobs.ts";
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
  /** Whether a parameter stays on the device: it travels in neither direction. `specs` is the model's whole list. */
  keeps(spec: ParameterSpec, specs: readonly ParameterSpec[]): boolean;
}

interface Entry {
  readonly title: string;
  readonly paper: string;
  readonly strategy?: (study: Study) => Strategy;
  readonly loss?: (study: Study) => LossSettings;
  readonly keeps?: Algorithm["keeps"];
}

/** Names of the last linear layer's weight (rank 2) and bias: the classifier. */
const classifierNames = (specs: readonly ParameterSpec[]): ReadonlySet<string> => {
  const weight = specs.findLast((s) => s.kind === "trainable" && s.shape.length === 2);
  if (weight === undefined) throw new Error("FedPer needs a model that ends in a linear layer");
  const layer = weight.name.replace(/weight$/, "");
  return new Set([weight.name, `${layer}bias`]);
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
    keeps: (spec, specs) => classifierNames(specs).has(spec.name),
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
    keeps: entry.keeps ?? (() => false),
  };
};
