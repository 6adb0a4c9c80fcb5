import { count } from "#renderer/ui/format.ts";
import { type FleetRow, STATE_FILTERS, type StateFilterKey } from "./fleet-rows.ts";
import style from "./state-filter.module.css";

/** How many devices are in which state; one click shows only those. */
export const StateFilter = ({
  rows,
  chosen,
  onChoose,
}: {
  readonly rows: readonly FleetRow[];
  readonly chosen: StateFilterKey | undefined;
  readonly onChoose: (next: StateFilterKey | undefined) => void;
}) => (
  <fieldset className={style.filter} aria-label="Show only devices that are">
    {(Object.keys(STATE_FILTERS) as StateFilterKey[]).map((key) => {
      const { word, has } = STATE_FILTERS[key];
      const n = rows.filter(({ state }) => has(state)).length;
      return (
        <button
          key={key}
          type="button"
          aria-pressed={chosen === key}
          disabled={n === 0 && chosen !== key}
          onClick={() => onChoose(chosen === key ? undefined : key)}
        >
          <b>{count(n)}</b> {word}
        </button>
      );
    })}
  </fieldset>
);
