import { useComputedColorScheme } from "@mantine/core";
import { memo, useEffect, useRef, useState } from "react";
import { count } from "#renderer/ui/format.ts";
import style from "./heat-map.module.css";
import { heatFacts, heatSentence } from "./heat-summary.ts";

export interface HeatMapProps {
  readonly devices: readonly string[];
  readonly classes: readonly string[];
  /** histogram[k][c] = samples of class c on device k */
  readonly histogram: readonly (readonly number[])[];
}

/** Up to this many devices and classes, cells show numbers; above, the map is dense and stops at MOST_DRAWN devices. */
const MOST_NUMBERED = 10;
const MOST_CLASSES_NUMBERED = 12;
const MOST_DRAWN = 100;

/** Devices × classes; darker cells hold more images. Only another partition draws it again. */
export const HeatMap = memo((props: HeatMapProps) => {
  const { devices, classes, histogram } = props;
  const facts = heatFacts(histogram, classes.length);
  const isSmall = devices.length <= MOST_NUMBERED && classes.length <= MOST_CLASSES_NUMBERED;
  return (
    <figure className={style.figure}>
      {isSmall ? <Numbers {...props} most={facts.most} /> : <Dense {...props} most={facts.most} />}
      <figcaption className={style.caption}>
        {heatSentence(facts, count)}
        {devices.length > MOST_DRAWN && ` The map shows the first ${MOST_DRAWN} devices.`}
      </figcaption>
    </figure>
  );
});
HeatMap.displayName = "HeatMap";

interface Drawn extends HeatMapProps {
  readonly most: number;
}

const shareOf = (n: number, most: number): number => (most === 0 ? 0 : n / most);

const LONG_NAME = 4;

const Numbers = ({ devices, classes, histogram, most }: Drawn) => {
  const isLong = classes.some((name) => name.length > LONG_NAME);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard
    <section className={style.scroll} tabIndex={0} aria-label="Samples per device and class">
      <table className={style.numbers}>
        <thead>
          <tr>
            <th scope="col">
              <span className={style.hidden}>Device</span>
            </th>
            {classes.map((name) => (
              <th key={name} scope="col" data-long={isLong || undefined} title={name}>
                <span>{name}</span>
              </th>
            ))}
            <th scope="col" data-sum>
              Total
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device, k) => (
            <tr key={device}>
              <th scope="row" title={device}>
                {device}
              </th>
              {classes.map((name, c) => {
                const n = histogram[k]?.[c] ?? 0;
                return (
                  <td key={name} style={{ "--share": shareOf(n, most) } as React.CSSProperties}>
                    {n === 0 ? <span className={style.hidden}>0</span> : n}
                  </td>
                );
              })}
              <td data-sum>{count(histogram[k]?.reduce((sum, n) => sum + n, 0) ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};

const MOST_HEADS = 12;
const PIXELS_HIGH = 300;

/** One pixel per cell, made large: ten thousand cells are drawn at once. */
const Dense = ({ devices, classes, histogram, most }: Drawn) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("light");
  const [under, setUnder] = useState<readonly [number, number]>();
  const rows = Math.min(devices.length, MOST_DRAWN);
  const columns = classes.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme is another colour
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined || canvas.current === null) return;
    context.clearRect(0, 0, columns, rows);
    context.fillStyle = getComputedStyle(canvas.current).color;
    for (let k = 0; k < rows; k++) {
      for (let c = 0; c < columns; c++) {
        context.globalAlpha = shareOf(histogram[k]?.[c] ?? 0, most);
        context.fillRect(c, k, 1, 1);
      }
    }
  }, [histogram, most, rows, columns, scheme]);
  const rowHeight = Math.max(3, Math.min(14, Math.floor(PIXELS_HIGH / Math.max(1, rows))));
  const [k, c] = under ?? [];
  return (
    <div className={style.dense}>
      {columns <= MOST_HEADS && (
        <div className={style.heads} aria-hidden="true">
          {classes.map((name) => (
            <span key={name} title={name}>
              <i>{name}</i>
            </span>
          ))}
        </div>
      )}
      <canvas
        ref={canvas}
        width={columns}
        height={rows}
        className={style.canvas}
        style={{ height: `${rows * rowHeight}px` }}
        role="img"
        aria-label={`Heat map of ${rows} devices and ${columns} classes; darker means more images.`}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const at = (of: number, size: number, many: number) =>
            Math.min(many - 1, Math.max(0, Math.floor((of / size) * many)));
          setUnder([
            at(event.clientY - box.top, box.height, rows),
            at(event.clientX - box.left, box.width, columns),
          ]);
        }}
        onPointerLeave={() => setUnder(undefined)}
      />
      <p className={style.under} aria-hidden="true">
        {k === undefined || c === undefined
          ? `Top to bottom: ${devices[0]} to ${devices[rows - 1]}`
          : `${devices[k]} · ${classes[c]} · ${count(histogram[k]?.[c] ?? 0)} images`}
      </p>
    </div>
  );
};
