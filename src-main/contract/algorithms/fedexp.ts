/**
 * Jhunjhunwala, Wang & Joshi, "FedExP: Speeding Up Federated Averaging via Extrapolation", ICLR 2023: the server steps
 * past the devices' mean, the further the more they disagree.
 */
import { z } from "zod";
import { algorithmWithSettings } from "./definition.ts";

export const fedexp = algorithmWithSettings({
  name: "fedexp",
  title: "FedExP",
  paper: "Jhunjhunwala, Wang & Joshi, FedExP: Speeding Up Federated Averaging via Extrapolation, ICLR 2023",
  about: "FedAvg whose server steps past the devices' mean, the further the more they disagree.",
  tasks: ["classification"],
  strategy: "fedexp",
  settings: z.strictObject({ epsilon: z.number().min(0).default(0.001) }).prefault({}),
  fields: [
    { key: "epsilon", label: "Epsilon", help: "Larger values keep the server's step closer to FedAvg's." },
  ],
  traits: { needsBuffers: true },
  look: { colour: 10, dash: "8 3 2 3" },
});
