import { useState } from "react";
import { useStore } from "zustand";
import { useDraftStore } from "./draft-store.ts";
import { Fields, NumberField, TextField } from "./fields.tsx";
import style from "./new-study.module.css";

/** Settings that most studies leave alone; it opens by itself when one of them has a problem. */
export const StoppingRules = () => {
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
      <summary>Stopping rules and waiting</summary>
      <Fields>
        <TextField
          path="stop.target"
          label="Target"
          placeholder="accuracy >= 0.9"
          help="Ends a run when its metric reaches this value."
        />
        <NumberField
          path="stop.patience"
          label="Patience"
          unit="rounds"
          placeholder="none"
          help="Ends a run after this many rounds without improvement."
        />
        <NumberField
          path="stop.deadlineSeconds"
          label="Round deadline"
          unit="seconds"
          placeholder="none"
          help="A round ends with the updates received by then."
        />
        <NumberField
          path="stop.minUpdates"
          label="Sufficient updates"
          placeholder="all"
          help="Once this many have arrived, the other devices get only the grace period."
        />
        <NumberField path="stop.graceSeconds" label="Grace period" unit="seconds" />
        <NumberField
          path="sampling.minAvailable"
          label="Wait for"
          unit="devices"
          placeholder="whole fleet"
          help="A round starts once this many devices are connected."
        />
      </Fields>
    </details>
  );
};
