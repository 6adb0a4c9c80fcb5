import { memo } from "react";
import { duration } from "#renderer/ui/format.ts";
import { lookOf } from "./colours.ts";
import style from "./compute-chart.module.css";
import { niceScale } from "./series.ts";

export interface ComputeBar {
  readonly key: string;
  readonly algorithm: string;
  /** Undefined where the update never came. */
  readonly seconds: number | undefined;
  readonly failed: boolean;
  /** What stands behind the bar, in words. */
  readonly text: string;
}

const WIDTH = 1000;
const HEIGHT = 150;

/** One bar per round, oldest first, in the colour of its algorithm; a round that failed is a stump. */
export const ComputeChart = memo(
  ({ title, bars }: { readonly title: string; readonly bars: readonly ComputeBar[] }) => {
    const most = Math.max(0.001, ...bars.map(({ seconds }) => seconds ?? 0));
    const { max, ticks } = niceScale(0, most, 3);
    const step = WIDTH / Math.max(bars.length, 24);
    const y = (seconds: number) => HEIGHT - (seconds / max) * HEIGHT;
    return (
      <figure className={style.box} aria-label={title}>
        <div className={style.axis} aria-hidden>
          {ticks.toReversed().map((tick) => (
            <span key={tick}>{tick === 0 ? "0" : duration(tick)}</span>
          ))}
        </div>
        <svg
          className={style.plot}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={title}
        >
          {ticks.map((tick) => (
            <line key={tick} className={style.grid} x1="0" x2={WIDTH} y1={y(tick)} y2={y(tick)} />
          ))}
          {bars.map((bar, i) => {
            const top = bar.failed ? HEIGHT - 10 : y(bar.seconds ?? 0);
            return (
              <rect
                key={bar.key}
                x={i * step + step * 0.12}
                width={step * 0.76}
                y={top}
                height={Math.max(0, HEIGHT - top)}
                fill={bar.failed ? "var(--bad)" : lookOf(bar.algorithm).colour}
              >
                <title>{bar.text}</title>
              </rect>
            );
          })}
        </svg>
      </figure>
    );
  },
);
ComputeChart.displayName = "ComputeChart";
