/** Reddi et al., "Adaptive Federated Optimization", ICLR 2021: an adaptive optimizer in the server's step. */
import { adaptiveFields, adaptiveSettings } from "./adaptive-settings.ts";
import { algorithmWithSettings } from "./definition.ts";

export const fedyogi = algorithmWithSettings({
  name: "fedyogi",
  title: "FedYogi",
  paper: "Reddi et al., Adaptive Federated Optimization, ICLR 2021",
  about: "The server takes a Yogi step: like Adam, but its step sizes change more slowly.",
  tasks: ["classification"],
  strategy: "fedyogi",
  settings: adaptiveSettings,
  fields: adaptiveFields,
  traits: { momentsPerWeight: 2, needsBuffers: true },
  look: { colour: 7, dash: "7 3" },
});
