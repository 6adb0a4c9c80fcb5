import type { DeviceState } from "#renderer/state/device-state.ts";
import style from "./device-state-label.module.css";
import { STATE_WORDS } from "./device-words.ts";

/** A device's state: a dot in its colour, and the word. */
export const DeviceStateLabel = ({ state }: { readonly state: DeviceState }) => (
  <span className={style.state}>
    <i data-state={state} aria-hidden />
    {STATE_WORDS[state]}
  </span>
);
