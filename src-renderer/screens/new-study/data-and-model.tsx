import { useData } from "#renderer/state/use-states.ts";
import { useSetting, useTask } from "./draft-store.ts";
import { type Choice, ChoiceField } from "./fields.tsx";

const FROM_CLIENT: Choice = { value: "from-client", label: "From the first client" };

const MODEL_HELP: Readonly<Record<string, string>> = {
  Net: "Small, with two convolutions; the fastest.",
  FedAvgNet: "The network of the FedAvg and FedNTD papers.",
  ResNet8: "A small residual network: few weights, more computation.",
  ResNet18: "Large; slow on most computers.",
  "from-client": "For external clients only. The server cannot evaluate it.",
};

/** Which dataset the devices learn from. */
export const DataField = () => {
  const entries = useData((state) => state.view?.entries);
  const choices = (entries ?? []).map(({ name, title, state }) => ({
    value: name,
    label: state === "ready" ? title : `${title} (${state === "missing" ? "not downloaded" : "damaged"})`,
  }));
  return (
    <ChoiceField
      path="dataset"
      label="Data"
      wide
      choices={[...choices, { value: "on-clients", label: "Held by the clients" }]}
    />
  );
};

/** Which network is trained. */
export const ModelField = () => {
  const model = String(useSetting("model"));
  const { models } = useTask();
  const choices = [...models.map((name) => ({ value: name, label: name })), FROM_CLIENT];
  return <ChoiceField path="model" label="Model" choices={choices} help={MODEL_HELP[model]} />;
};
