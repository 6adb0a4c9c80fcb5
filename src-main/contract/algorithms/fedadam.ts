/** Reddi et al., "Adaptive Federated Optimization", ICLR 2021: an adaptive optimizer in the server's step. */
import { adaptiveFields, adaptiveSettings } from "./adaptive-settings.ts";
import { algorithmWithSettings } from "./definition.ts";

export const fedadam = algorithmWithSettings({
  name: "fedadam",
  title: "FedAdam",
  paper: "Reddi et al., Adaptive Federated Optimization, ICLR 2021",
  about: "The server takes an Adam step towards the devices' mean.",
  tasks: ["classification"],
  strategy: "fedadam",
  settings: adaptiveSettings,
  fields: adaptiveFields,
  traits: { momentsPerWeight: 2, needsBuffers: true },
  look: { colour: 6, dash: "7 3" },
});
