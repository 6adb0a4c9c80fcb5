/**
 * McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017: the
 * examples-weighted mean of the clients' parameters.
 */
import { plainAlgorithm } from "./definition.ts";

export const fedavg = plainAlgorithm({
  name: "fedavg",
  title: "FedAvg",
  paper:
    "McMahan et al., Communication-Efficient Learning of Deep Networks from Decentralized Data, AISTATS 2017",
  about: "Averages the devices' weights, each in proportion to its number of samples.",
  tasks: ["classification"],
  strategy: "fedavg",
  look: { colour: 1 },
});
