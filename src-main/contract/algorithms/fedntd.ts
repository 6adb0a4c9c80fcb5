/**
 * Lee et al., "Preservation of the Global Knowledge by Not-True Distillation in Federated Learning", NeurIPS 2022:
 * the local loss distils what the global model says about the classes that are not the true one.
 */
import { z } from "zod";
import { algorithmWithSettings } from "./definition.ts";

export const fedntd = algorithmWithSettings({
  name: "fedntd",
  title: "FedNTD",
  paper:
    "Lee et al., Preservation of the Global Knowledge by Not-True Distillation in Federated Learning, NeurIPS 2022",
  about:
    "FedAvg, but each device also distils the global model's view of the classes that are not the true one.",
  tasks: ["classification"],
  strategy: "fedavg",
  settings: z
    .strictObject({
      tau: z.number().positive().default(1),
      beta: z.number().min(0).default(1),
      tauSquared: z.boolean().default(true),
    })
    .prefault({}),
  fields: [
    { key: "beta", label: "Beta", help: "Weight of the distillation loss; 0 equals FedAvg." },
    { key: "tau", label: "Tau", help: "Temperature; above 1, unlikely classes count more." },
    {
      key: "tauSquared",
      label: "Multiply by tau squared",
      help: "Keeps the weight of the distillation loss when tau changes.",
      kind: "switch",
    },
  ],
  recipe: (settings) => ({ loss: { kind: "ntd", ...settings } }),
  look: { colour: 2 },
});
