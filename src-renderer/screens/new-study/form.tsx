import { memo } from "react";
import { AlgorithmSettings, AlgorithmsField } from "./algorithms.tsx";
import { DataField, ModelField } from "./data-and-model.tsx";
import { DevicesGroup } from "./devices.tsx";
import { FieldGroup, Fields, GroupProblem, NumberField, SwitchField, TextField } from "./fields.tsx";
import { LocalTraining } from "./local-training.tsx";
import { PartitionGroup } from "./partition.tsx";
import { StoppingRules } from "./stopping.tsx";

/** Every setting of a study file, in the order in which people think of them. */
export const Form = memo(() => (
  <>
    <FieldGroup title="Study">
      <Fields>
        <TextField path="name" label="Name" />
        <ModelField />
        <DataField />
      </Fields>
      <AlgorithmsField />
    </FieldGroup>
    <DevicesGroup />
    <PartitionGroup />
    <FieldGroup title="Rounds and trials">
      <Fields>
        <NumberField
          path="rounds"
          label="Rounds"
          help="Each round draws devices, trains on them, aggregates and evaluates."
        />
        <NumberField
          path="trials"
          label="Trials"
          help="Repeats per algorithm, each with its own seed; use at least 3 to judge noise."
        />
        <NumberField
          path="seed"
          label="Seed"
          help="The same seed gives the same client draws and initial weights."
        />
      </Fields>
    </FieldGroup>
    <LocalTraining />
    <AlgorithmSettings />
    <FieldGroup title="Sampling" note="which devices train in a round">
      <Fields>
        <NumberField
          path="sampling.fraction"
          label="Share drawn"
          unit="0–1"
          help="0.5 draws half of the devices each round; 1 draws all of them."
        />
        <NumberField path="sampling.minFit" label="At least" unit="devices" />
      </Fields>
    </FieldGroup>
    <FieldGroup title="Evaluation">
      <Fields>
        <SwitchField
          path="evaluation.central"
          label="On the server"
          help="Evaluates the global model on the whole test set after each round."
        />
        <SwitchField
          path="evaluation.federated"
          label="On the devices"
          help="Evaluates the model on each device's part of the test set."
        />
      </Fields>
      <GroupProblem path="evaluation" />
    </FieldGroup>
    <StoppingRules />
  </>
));
Form.displayName = "Form";
