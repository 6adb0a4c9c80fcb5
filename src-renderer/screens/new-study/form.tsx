import { memo, useState } from "react";
import { useStore } from "zustand";
import { useData } from "#renderer/state/use-states.ts";
import { AlgorithmSettings, AlgorithmsField } from "./algorithms.tsx";
import { partitionOf } from "./draft.ts";
import { useDraftStore, useSetting, useTask } from "./draft-store.ts";
import {
  type Choice,
  ChoiceField,
  FieldGroup,
  Fields,
  GroupProblem,
  NumberField,
  SwitchField,
  TextField,
} from "./fields.tsx";
import style from "./new-study.module.css";
import { Who } from "./who.tsx";

const FROM_CLIENT: Choice = { value: "from-client", label: "The first client's own" };

const MODEL_HELP: Readonly<Record<string, string>> = {
  Net: "Small, with two convolutions: the quickest.",
  FedAvgNet: "The network of the FedAvg and FedNTD papers.",
  ResNet8: "A small residual network: few weights, more computing.",
  ResNet18: "Large: slow without a fast computer.",
  "from-client": "Only for external clients, without evaluation on the server.",
};

const KIND_LABELS: Readonly<Record<string, string>> = {
  iid: "IID",
  shards: "Shards",
  dirichlet: "Dirichlet",
  "class-skew": "Class skew",
};

const KIND_HELP: Readonly<Record<string, string>> = {
  iid: "Every device gets a random part of the pictures. The easy case: all devices are alike.",
  shards:
    "Pictures are sorted by class and cut into pieces of the same size; each device gets a few. Non-IID: what one device learns, another forgets.",
  dirichlet: "Each class is dealt out in random shares. Non-IID in classes and in amount, as in the field.",
  "class-skew": "Each device sees its main classes more often than the others.",
};

const Data = () => {
  const entries = useData((state) => state.view?.entries);
  const choices = (entries ?? []).map(({ name, title, state }) => ({
    value: name,
    label: state === "ready" ? title : `${title} (${state === "missing" ? "not here yet" : "damaged"})`,
  }));
  return (
    <ChoiceField
      path="dataset"
      label="Data"
      wide
      choices={[...choices, { value: "on-clients", label: "On the clients only" }]}
    />
  );
};

const Model = () => {
  const model = String(useSetting("model"));
  const { models } = useTask();
  const choices = [...models.map((name) => ({ value: name, label: name })), FROM_CLIENT];
  return <ChoiceField path="model" label="Model" choices={choices} help={MODEL_HELP[model]} />;
};

const PartitionGroup = () => {
  const store = useDraftStore();
  const kind = String(useSetting("partition.kind") ?? "iid");
  const { partitions } = useTask();
  return (
    <FieldGroup title="Partition" note="who holds which data">
      <Fields>
        <ChoiceField
          path="partition.kind"
          label="Kind"
          choices={partitions.map((value) => ({ value, label: KIND_LABELS[value] ?? value }))}
          onChoose={(next) => store.set("partition", partitionOf(next))}
        />
        {kind === "shards" && (
          <NumberField
            path="partition.shardsPerClient"
            label="Shards"
            unit="per device"
            help="About as many classes."
          />
        )}
        {kind === "dirichlet" && (
          <>
            <NumberField
              path="partition.alpha"
              label="Alpha"
              help="0.1 is very uneven, 1 uneven, 100 nearly IID."
            />
            <NumberField path="partition.minSamples" label="Fewest samples" unit="per device" />
          </>
        )}
        {kind === "class-skew" && (
          <>
            <NumberField path="partition.classes" label="Main classes" unit="per device" />
            <NumberField path="partition.high" label="Weight of main classes" />
            <NumberField path="partition.low" label="Weight of the others" />
          </>
        )}
      </Fields>
      <GroupProblem path="partition" />
      {KIND_HELP[kind] !== undefined && <p className={style.help}>{KIND_HELP[kind]}</p>}
    </FieldGroup>
  );
};

const Training = () => {
  const kind = useSetting("optimizer.kind");
  const momentum = useSetting("optimizer.momentum");
  return (
    <FieldGroup title="Training on the device">
      <Fields>
        <NumberField
          path="localEpochs"
          label="Epochs"
          unit="per round"
          help="Passes over the device's own data."
        />
        <NumberField path="batchSize" label="Batch size" unit="samples" />
        <ChoiceField
          path="optimizer.kind"
          label="Optimizer"
          choices={[
            { value: "sgd", label: "SGD" },
            { value: "adam", label: "Adam" },
            { value: "rmsprop", label: "RMSprop" },
          ]}
        />
        <NumberField path="optimizer.lr" label="Learning rate" />
        {(kind !== "adam" || momentum !== 0) && <NumberField path="optimizer.momentum" label="Momentum" />}
        <NumberField path="optimizer.weightDecay" label="Weight decay" />
        <NumberField
          path="optimizer.lrDecay"
          label="Rate decay"
          unit="per round"
          help="Multiplies the learning rate; 1 leaves it as it is."
        />
        {(kind === "sgd" || kind === undefined) && (
          <SwitchField path="optimizer.nesterov" label="Nesterov's step" />
        )}
      </Fields>
    </FieldGroup>
  );
};

/** Settings that most studies leave as they are; it opens by itself where something in it is wrong. */
const More = () => {
  const [opened, setOpened] = useState(false);
  const isWrong = useStore(useDraftStore(), ({ own, told }) =>
    [...own, ...told].some(({ path }) => path.startsWith("stop") || path.startsWith("sampling.minA")),
  );
  return (
    <details
      className={style.more}
      open={opened || isWrong}
      onToggle={(event) => setOpened(event.currentTarget.open)}
    >
      <summary>More: stopping rules and waiting</summary>
      <Fields>
        <TextField
          path="stop.target"
          label="Stop at"
          placeholder="accuracy >= 0.9"
          help="A run ends when its metric gets there."
        />
        <NumberField
          path="stop.patience"
          label="Patience"
          unit="rounds"
          placeholder="none"
          help="A run ends after so many rounds without a better result."
        />
        <NumberField
          path="stop.deadlineSeconds"
          label="Deadline of a round"
          unit="seconds"
          placeholder="none"
          help="The round closes with the updates that are there."
        />
        <NumberField
          path="stop.minUpdates"
          label="Enough updates"
          placeholder="all"
          help="Once so many are in, the rest get only the time of grace."
        />
        <NumberField path="stop.graceSeconds" label="Time of grace" unit="seconds" />
        <NumberField
          path="sampling.minAvailable"
          label="Wait for"
          unit="devices"
          placeholder="the whole fleet"
          help="A round waits until so many are connected."
        />
      </Fields>
    </details>
  );
};

/** Every setting of a study file, in the order in which one thinks of them. */
export const Form = memo(() => (
  <>
    <FieldGroup title="What">
      <Fields>
        <TextField path="name" label="Name" />
        <Model />
        <Data />
      </Fields>
      <AlgorithmsField />
    </FieldGroup>
    <Who />
    <PartitionGroup />
    <FieldGroup title="How long">
      <Fields>
        <NumberField path="rounds" label="Rounds" help="One round: draw, train, average, evaluate." />
        <NumberField
          path="trials"
          label="Trials"
          help="Each algorithm runs so often, with other seeds: three or more show what is chance."
        />
        <NumberField path="seed" label="Seed" help="The same seed gives the same draws and first weights." />
      </Fields>
    </FieldGroup>
    <Training />
    <AlgorithmSettings />
    <FieldGroup title="Sampling" note="who is drawn in a round">
      <Fields>
        <NumberField
          path="sampling.fraction"
          label="Share drawn"
          unit="0–1"
          help="0.5 draws half of the devices in each round; 1 all of them."
        />
        <NumberField path="sampling.minFit" label="At least" unit="devices" />
      </Fields>
    </FieldGroup>
    <FieldGroup title="Evaluation">
      <Fields>
        <SwitchField
          path="evaluation.central"
          label="On the server"
          help="The global model on the whole test set, after each round."
        />
        <SwitchField
          path="evaluation.federated"
          label="On the devices"
          help="Each device on its own part of the test set."
        />
      </Fields>
      <GroupProblem path="evaluation" />
    </FieldGroup>
    <More />
  </>
));
Form.displayName = "Form";
