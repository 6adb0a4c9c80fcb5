import { useTelemetry } from "#renderer/state/use-states.ts";
import { degrees } from "#renderer/ui/format.ts";
import style from "./lane-row.module.css";
import type { Lane } from "./lanes.ts";

/** Which colour is which part of a round. */
export const LaneKey = () => (
  <span className={style.key}>
    {(["download", "compute", "upload", "wait"] as const).map((part) => (
      <span key={part}>
        <i data-part={part} />
        {part}
      </span>
    ))}
  </span>
);

/** One device's round as a bar, with its state in words. */
export const LaneRow = ({
  lane,
  withBoards = false,
}: {
  readonly lane: Lane;
  /** Leaves room for what boards report about themselves. */
  readonly withBoards?: boolean;
}) => (
  <div className={style.lane} {...(withBoards ? { "data-boards": true } : {})}>
    <b title={lane.device}>{lane.device}</b>
    <svg className={style.bar} viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
      <rect data-part="ground" x="0" y="0" width="1000" height="12" />
      {lane.parts.map(({ part, from, to }) => (
        <rect
          key={part}
          data-part={part}
          x={from * 1000}
          y="0"
          width={Math.max(0, (to - from) * 1000)}
          height="12"
        />
      ))}
    </svg>
    <span title={lane.text} {...(lane.bad ? { "data-tone": "bad" } : {})}>
      {lane.text}
    </span>
    {withBoards && <Temperature device={lane.device} />}
  </div>
);

/** The temperature of a board; empty for virtual devices. */
const Temperature = ({ device }: { readonly device: string }) => (
  <em>{degrees(useTelemetry(device)?.temperature)}</em>
);
