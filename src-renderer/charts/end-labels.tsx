import { usePlotArea, useXAxisScale, useYAxisScale } from "recharts";
import { placeLabels, type Series } from "./series.ts";

/** The lines' names at their ends, moved apart where lines end close together. Drawn within a recharts chart. */
export const EndLabels = ({ series }: { readonly series: readonly Series[] }) => {
  const plot = usePlotArea();
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  if (plot === undefined || xScale === undefined || yScale === undefined) return null;
  const ends = series.flatMap((s) => {
    const last = s.points.at(-1);
    if (last === undefined) return [];
    const x = xScale(last.round);
    const y = yScale(last.value);
    return x === undefined || y === undefined ? [] : [{ s, x, y }];
  });
  const placed = placeLabels(ends, { width: 190, gap: 16, min: plot.y + 4, max: plot.y + plot.height - 2 });
  return (
    <g>
      {ends.map(({ s, x, y }, i) => (
        <g key={s.key}>
          <circle cx={x} cy={y} r="3.5" fill={s.colour} />
          <text x={x + 9} y={(placed[i] ?? y) + 4} fill={s.colour} fontSize="12.5" fontWeight="600">
            {s.label.length > 24 ? `${s.label.slice(0, 23)}…` : s.label}
          </text>
        </g>
      ))}
    </g>
  );
};
