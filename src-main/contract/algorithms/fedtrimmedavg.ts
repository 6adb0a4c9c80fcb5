/**
 * Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018: the
 * coordinate-wise trimmed mean.
 */
import { z } from "zod";
import { algorithmWithSettings } from "./definition.ts";

export const fedtrimmedavg = algorithmWithSettings({
  name: "fedtrimmedavg",
  title: "FedTrimmedAvg",
  paper: "Yin et al., Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates, ICML 2018",
  about: "Drops the lowest and the highest values of each weight, then averages the rest.",
  tasks: ["classification"],
  strategy: "fedtrimmedavg",
  /** beta: share of updates cut off at each end, per element. */
  settings: z.strictObject({ beta: z.number().min(0).lt(0.5).default(0.2) }).prefault({}),
  fields: [
    {
      key: "beta",
      label: "Share cut off",
      unit: "at each end",
      help: "0.2 drops the lowest and the highest fifth of the updates.",
    },
  ],
  traits: { needsAllUpdates: true },
  look: { colour: 9, dash: "2 3" },
});
