import { VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import type { DeviceView } from "#contract/views.ts";
import { memoryText, shortImage, throttlingText } from "#renderer/screens/board/board-words.ts";
import { firstActionOf, shownProblemOf } from "#renderer/screens/board/shown-problem.ts";
import { boardPath, useBoardActions } from "#renderer/screens/board/use-board-actions.ts";
import type { DeviceState } from "#renderer/state/device-state.ts";
import { useTelemetry } from "#renderer/state/use-states.ts";
import { linkButtonClass } from "#renderer/ui/form.tsx";
import { degrees } from "#renderer/ui/format.ts";
import { Small } from "#renderer/ui/page.tsx";
import style from "./board-cells.module.css";
import { imageText } from "./fleet-rows.ts";

/** From these temperatures on, in °C, a board is shown as warm and as hot. */
const WARM = 75;
const HOT = 85;

interface CellProps {
  readonly device: DeviceView;
  readonly state: DeviceState;
}

/** Temperature and memory. They change about once a second, and only these cells are drawn for it. */
export const TelemetryCells = ({ device, state }: CellProps) => {
  const point = useTelemetry(device.board === undefined ? undefined : device.name);
  const isLive = device.board?.state === "online" && state !== "offline";
  if (point === undefined || !isLive) {
    return (
      <>
        <td data-column="temperature" data-num>
          <Small>–</Small>
        </td>
        <td data-column="memory" data-num>
          <Small>–</Small>
        </td>
      </>
    );
  }
  const { temperature = 0 } = point;
  const throttling = throttlingText(point.throttling);
  const isWarm = temperature >= WARM || throttling !== undefined;
  const tone = temperature >= HOT ? "bad" : isWarm ? "warn" : undefined;
  return (
    <>
      <td
        data-column="temperature"
        data-num
        {...(tone === undefined ? {} : { "data-tone": tone })}
        title={throttling}
      >
        {throttling !== undefined && <span aria-hidden>! </span>}
        {degrees(point.temperature) ?? <Small>–</Small>}
        {throttling !== undefined && <VisuallyHidden>, {throttling}</VisuallyHidden>}
      </td>
      <td data-column="memory" data-num>
        {memoryText(point) ?? <Small>–</Small>}
      </td>
    </>
  );
};

/** A board's problem, and the first thing that can be done about it. */
export const BoardTrouble = ({ device: { name, board }, state }: CellProps) => {
  const actions = useBoardActions(name);
  if (board === undefined) return null;
  const problem = shownProblemOf(board);
  const action = firstActionOf(board);
  if (problem === undefined && action === undefined) {
    return state === "needs-setup" ? (
      <Link className={linkButtonClass} href={boardPath(name, "set-up")}>
        Set up
      </Link>
    ) : null;
  }
  return (
    <>
      {problem !== undefined && (
        <span className={style.problem} title={`${problem.title}. ${problem.cause} ${problem.next}`}>
          {problem.title}
        </span>
      )}
      {action === undefined && state === "needs-you" && (
        <Link className={linkButtonClass} href={boardPath(name, "replace-key")}>
          Compare keys
        </Link>
      )}
      {action !== undefined && (
        <button
          type="button"
          className={linkButtonClass}
          disabled={actions.busy !== undefined}
          onClick={() => actions.run(action, board)}
          aria-label={`${action.label}: ${name}`}
        >
          {action.label}
        </button>
      )}
    </>
  );
};

export const BoardImage = ({ device }: { readonly device: DeviceView }) => {
  if (device.board === undefined) return <Small>–</Small>;
  const text = imageText(device);
  return device.board.setup === "ready" ? shortImage(text) : <Small>{text}</Small>;
};
