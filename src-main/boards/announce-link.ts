import type { Emit } from "#contract/events.ts";
import type { LinkState } from "./board-ports.ts";

/** @returns a function that turns each change of a board's link into an event, where it is news */
export const announceLink = (device: string, emit: Emit): ((state: LinkState) => void) => {
  let announced: { state: LinkState["state"]; code: string | undefined } = {
    state: "offline",
    code: undefined,
  };
  return ({ state, problem }) => {
    const code = problem?.code;
    // A connection that the lab itself ends is no news.
    const isNews = state !== "connecting" && (state !== "offline" || code !== undefined);
    if (!isNews || (state === announced.state && code === announced.code)) return;
    announced = { state, code };
    emit({ kind: "board-state", device, state, ...(problem === undefined ? {} : { problem }) });
  };
};
