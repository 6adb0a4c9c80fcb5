import style from "./compare.module.css";
import type { RowLook } from "./compare-series.ts";

/** The piece of line that stands for a row in the chart. */
export const RowKey = ({ look }: { readonly look: RowLook | undefined }) =>
  look === undefined ? null : (
    <svg className={style.key} viewBox="0 0 22 8" aria-hidden="true">
      <line
        x1="0"
        x2="22"
        y1="4"
        y2="4"
        stroke={look.colour}
        strokeWidth="3"
        strokeDasharray={look.dash ?? ""}
      />
    </svg>
  );
