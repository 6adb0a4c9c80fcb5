/** Arivazhagan et al., "Federated Learning with Personalization Layers", 2019: the head is personal. */
import { plainAlgorithm } from "./definition.ts";

export const fedper = plainAlgorithm({
  name: "fedper",
  title: "FedPer",
  paper: "Arivazhagan et al., Federated Learning with Personalization Layers, 2019",
  about: "The classifier stays on each device; only the layers before it are shared.",
  tasks: ["classification"],
  strategy: "fedavg",
  traits: {
    keepsHead: true,
    notOnForeignClients: "keeps the classifier on the device, which other Flower clients do not",
  },
  look: { colour: 4 },
});
