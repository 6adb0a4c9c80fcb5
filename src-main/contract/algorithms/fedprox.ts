/** Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020: a proximal term in the local loss. */
import { z } from "zod";
import { algorithmWithSettings } from "./definition.ts";

export const fedprox = algorithmWithSettings({
  name: "fedprox",
  title: "FedProx",
  paper: "Li et al., Federated Optimization in Heterogeneous Networks, MLSys 2020",
  about: "FedAvg with a penalty that keeps each device's weights close to the global ones.",
  tasks: ["classification"],
  strategy: "fedavg",
  settings: z.strictObject({ mu: z.number().min(0).default(0.01) }).prefault({}),
  fields: [{ key: "mu", label: "Mu", help: "Weight of the proximal term; 0 equals FedAvg." }],
  recipe: ({ mu }) => ({ loss: { kind: "prox", mu } }),
  look: { colour: 3 },
});
