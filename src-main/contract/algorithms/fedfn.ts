/**
 * Kim et al., "FedFN: Feature Normalization for Alleviating Data Heterogeneity Problem in Federated Learning", FL@FM
 * workshop at NeurIPS 2023: the classifier sees the feature at length 1, in training and in testing.
 */
import { plainAlgorithm } from "./definition.ts";

export const fedfn = plainAlgorithm({
  name: "fedfn",
  title: "FedFN",
  paper:
    "Kim et al., FedFN: Feature Normalization for Alleviating Data Heterogeneity Problem in Federated Learning, FL@FM workshop, NeurIPS 2023",
  about: "FedAvg whose classifier sees each image's feature scaled to length 1.",
  tasks: ["classification"],
  strategy: "fedavg",
  recipe: () => ({ feature: { kind: "l2-normalised" } }),
  traits: {
    notOnForeignClients: "scales the feature before the classifier, which other Flower clients do not",
  },
  look: { colour: 11, dash: "8 3 2 3" },
});
