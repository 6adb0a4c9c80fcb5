import type { BoardSummary } from "#contract/boards.ts";
import type { DeviceView, LiveDevice } from "#contract/views.ts";

/** What a device does now, as one word of the page. */
export type DeviceState =
  | "busy"
  | "waiting"
  | "connected"
  | "offline"
  /** Virtual devices of a group: the next study starts them. */
  | "idle"
  // boards only
  | "ready"
  | "launching"
  | "ended"
  | "setting-up"
  | "needs-setup"
  | "unsupported"
  | "connecting"
  | "silent"
  | "needs-you";

/** @param live how far it is in the round in progress, if it was drawn; a device that has answered waits for the others */
export const stateOf = (device: DeviceView, live: LiveDevice | undefined): DeviceState => {
  if (live !== undefined) {
    if (live.endedMs === undefined && !isOver(live.phase)) return "busy";
    if (live.phase === "folded") return "waiting";
  }
  if (device.board !== undefined) return boardStateOf(device.board, device.connected);
  if (device.connected) return "connected";
  return device.kind === "virtual" && device.group !== undefined ? "idle" : "offline";
};

/** @param connected its client is connected to the server */
const boardStateOf = (board: BoardSummary, connected: boolean): DeviceState => {
  if (board.state === "locked") return "needs-you";
  if (board.state !== "online") return board.state;
  if (board.setup === "running") return "setting-up";
  if (board.setup === "unsupported") return "unsupported";
  if (board.setup === "needed") return "needs-setup";
  const { client } = board;
  if (client?.state === "exited" || client?.state === "waiting") return "ended";
  if (client?.state === "launching") return "launching";
  return connected ? "connected" : "ready";
};

const isOver = (phase: LiveDevice["phase"]): boolean =>
  phase === "folded" || phase === "refused" || phase === "failed" || phase === "late";
