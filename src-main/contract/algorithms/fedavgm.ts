/**
 * Hsu, Qi & Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification",
 * 2019: momentum in the server's step.
 */
import { z } from "zod";
import { algorithmWithSettings } from "./definition.ts";

export const fedavgm = algorithmWithSettings({
  name: "fedavgm",
  title: "FedAvgM",
  paper:
    "Hsu, Qi & Brown, Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification, 2019",
  about: "FedAvg with momentum in the server's step.",
  tasks: ["classification"],
  strategy: "fedavgm",
  settings: z
    .strictObject({
      momentum: z.number().min(0).lt(1).default(0.7),
      serverLr: z.number().positive().default(1),
    })
    .prefault({}),
  fields: [
    { key: "momentum", label: "Server momentum", help: "Share of the previous step that is kept." },
    { key: "serverLr", label: "Server learning rate", help: "1 takes the whole step to the mean." },
  ],
  traits: { momentsPerWeight: 1, needsBuffers: true },
  look: { colour: 5, dash: "7 3" },
});
