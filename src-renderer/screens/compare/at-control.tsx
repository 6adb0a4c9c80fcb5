import { NumberInput, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { AtRound } from "#contract/views.ts";
import style from "./compare.module.css";
import { atKind } from "./figures.ts";

interface AtControlProps {
  readonly at: AtRound;
  /** `instead`: the former address is not one to go back to. */
  readonly onAt: (at: AtRound, instead: boolean) => void;
  /** The last round that any row has. */
  readonly lastRound: number;
}

/** Which round of each run the table shows. */
export const AtControl = ({ at, onAt, lastRound }: AtControlProps) => {
  // What is being typed need not be a round yet.
  const [typed, setTyped] = useState<number>();
  const most = Math.max(1, lastRound);
  const isRound = (n: number) => Number.isInteger(n) && n >= 1 && n <= most;
  return (
    <div className={style.tools}>
      {typeof at === "number" && (
        <NumberInput
          className={style.round ?? ""}
          size="xs"
          min={1}
          max={most}
          error={typed !== undefined && !isRound(typed) ? `1 to ${most}` : undefined}
          allowDecimal={false}
          aria-label="Round of the table"
          value={typed ?? at}
          onChange={(value) => {
            setTyped(Number(value));
            if (isRound(Number(value))) onAt(Number(value), true);
          }}
          onBlur={() => setTyped(undefined)}
        />
      )}
      <SegmentedControl
        size="xs"
        aria-label="Which round to compare"
        value={atKind(at)}
        onChange={(kind) => onAt(kind === "round" ? most : (kind as AtRound), false)}
        data={[
          { value: "last", label: "Last round" },
          { value: "last5", label: "Mean of last 5" },
          { value: "best", label: "Best round" },
          { value: "round", label: "One round" },
        ]}
      />
    </div>
  );
};
