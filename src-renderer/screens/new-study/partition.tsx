import { partitionTitle } from "#renderer/ui/study-words.ts";
import { partitionOf } from "./draft.ts";
import { useDraftStore, useSetting, useTask } from "./draft-store.ts";
import { ChoiceField, FieldGroup, Fields, GroupProblem, NumberField } from "./fields.tsx";
import style from "./new-study.module.css";

const KIND_HELP: Readonly<Record<string, string>> = {
  iid: "Each device gets a random share of the images. The easy case: all devices have similar data.",
  shards:
    "Images are sorted by class and cut into equal shards; each device gets a few. Non-IID: what one device learns, another may forget.",
  dirichlet:
    "Each class is split among the devices in random proportions. Non-IID in classes and amounts, as in practice.",
  "class-skew": "Each device holds more images of its main classes than of the others.",
};

/** How the data is divided among the devices. */
export const PartitionGroup = () => {
  const store = useDraftStore();
  const kind = String(useSetting("partition.kind") ?? "iid");
  const { partitions } = useTask();
  return (
    <FieldGroup title="Partition" note="how the data is divided among the devices">
      <Fields>
        <ChoiceField
          path="partition.kind"
          label="Kind"
          choices={partitions.map((value) => ({ value, label: partitionTitle(value) }))}
          onChoose={(next) => store.set("partition", partitionOf(next))}
        />
        {kind === "shards" && (
          <NumberField
            path="partition.shardsPerClient"
            label="Shards"
            unit="per device"
            help="A device sees about this many classes."
          />
        )}
        {kind === "dirichlet" && (
          <>
            <NumberField
              path="partition.alpha"
              label="Alpha"
              help="0.1 is very uneven, 1 uneven, 100 nearly IID."
            />
            <NumberField path="partition.minSamples" label="Minimum samples" unit="per device" />
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
