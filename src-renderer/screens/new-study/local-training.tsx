import { OPTIMIZER_TITLES } from "#renderer/ui/study-words.ts";
import { useSetting } from "./draft-store.ts";
import { ChoiceField, FieldGroup, Fields, NumberField, SwitchField } from "./fields.tsx";

const OPTIMIZERS = Object.entries(OPTIMIZER_TITLES).map(([value, label]) => ({ value, label }));

/** What each device does with its own data in a round. */
export const LocalTraining = () => {
  const kind = useSetting("optimizer.kind");
  const momentum = useSetting("optimizer.momentum");
  return (
    <FieldGroup title="Local training">
      <Fields>
        <NumberField
          path="localEpochs"
          label="Epochs"
          unit="per round"
          help="Passes over the device's data."
        />
        <NumberField path="batchSize" label="Batch size" unit="samples" />
        <ChoiceField path="optimizer.kind" label="Optimizer" choices={OPTIMIZERS} />
        <NumberField path="optimizer.lr" label="Learning rate" />
        {(kind !== "adam" || momentum !== 0) && <NumberField path="optimizer.momentum" label="Momentum" />}
        <NumberField path="optimizer.weightDecay" label="Weight decay" />
        <NumberField
          path="optimizer.lrDecay"
          label="Learning rate decay"
          unit="per round"
          help="Multiplies the learning rate each round; 1 keeps it constant."
        />
        {(kind === "sgd" || kind === undefined) && (
          <SwitchField path="optimizer.nesterov" label="Nesterov momentum" />
        )}
      </Fields>
    </FieldGroup>
  );
};
