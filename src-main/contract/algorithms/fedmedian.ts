/**
 * Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018: the
 * coordinate-wise median.
 */
import { plainAlgorithm } from "./definition.ts";

export const fedmedian = plainAlgorithm({
  name: "fedmedian",
  title: "FedMedian",
  paper: "Yin et al., Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates, ICML 2018",
  about: "Takes the median of each weight, so a few bad updates do no harm.",
  tasks: ["classification"],
  strategy: "fedmedian",
  traits: { needsAllUpdates: true },
  look: { colour: 8, dash: "2 3" },
});
