import type { StudyInput } from "./study.ts";

/** A study to start from. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  /** One sentence: what it shows, and how long it takes. */
  readonly about: string;
  readonly study: StudyInput;
}

/**
 * What "Run the demo" starts; examples/demo.yaml is the same study as a file. Four devices with three shards each,
 * two of them drawn per round: enough to see in half a minute what each round forgets.
 */
export const DEMO: StudyInput = {
  name: "demo-fedavg-vs-fedntd",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg", "fedntd"],
  partition: { kind: "shards", shardsPerClient: 3 },
  fleet: { virtual: 4 },
  rounds: 8,
  localEpochs: 3,
  batchSize: 50,
  optimizer: { kind: "sgd", lr: 0.02, momentum: 0.9, weightDecay: 0.00001 },
  sampling: { fraction: 0.5, minFit: 2 },
  fedntd: { tau: 1, beta: 1, tauSquared: true },
  trials: 1,
  seed: 1,
};

export const PRESETS: readonly Preset[] = [
  {
    name: "quick",
    title: "Quick look",
    about: "Four virtual devices, the bundled images, five rounds. About twenty seconds.",
    study: { ...DEMO, name: "quick-look", fleet: { virtual: 4 }, rounds: 5, localEpochs: 2 },
  },
  {
    name: "forgetting",
    title: "Forgetting",
    about:
      "Ten devices with two classes each, three trials: FedNTD keeps what FedAvg forgets. About two minutes.",
    study: {
      ...DEMO,
      name: "forgetting",
      partition: { kind: "shards", shardsPerClient: 2 },
      fleet: { virtual: 10 },
      rounds: 20,
      sampling: { fraction: 0.5, minFit: 5 },
      trials: 3,
    },
  },
  {
    name: "paper",
    title: "Paper settings",
    about:
      "The FedNTD paper's settings for CIFAR-10: 100 devices, two shards each, 10% drawn per round. Hours on a laptop.",
    study: {
      name: "cifar10-fedavg-vs-fedntd",
      dataset: "cifar10",
      model: "FedAvgNet",
      algorithms: ["fedavg", "fedntd"],
      partition: { kind: "shards", shardsPerClient: 2 },
      fleet: { virtual: 100 },
      rounds: 200,
      localEpochs: 5,
      batchSize: 50,
      optimizer: { kind: "sgd", lr: 0.01, momentum: 0.9, weightDecay: 0.00001, lrDecay: 0.99 },
      sampling: { fraction: 0.1, minFit: 10 },
      fedntd: { tau: 1, beta: 1, tauSquared: true },
      trials: 3,
      seed: 2022,
    },
  },
  {
    name: "stress",
    title: "Stress",
    about: "Fifty devices; some are slow, some drop out. Tests the lab under load. A minute or two.",
    study: {
      ...DEMO,
      name: "stress",
      algorithms: ["fedavg"],
      partition: { kind: "dirichlet", alpha: 0.5 },
      fleet: {
        virtual: [
          { count: 40, name: "steady" },
          { count: 6, name: "slow", slowness: 4 },
          { count: 4, name: "shaky", dropOut: 0.2 },
        ],
      },
      rounds: 10,
      localEpochs: 1,
      batchSize: 20,
      sampling: { fraction: 1, minFit: 20 },
      stop: { deadlineSeconds: 30 },
    },
  },
];
