import { type Metric, metricHeading } from "#contract/metrics.ts";
import { shortName } from "#contract/short-name.ts";
import { metricLevel, metricTick } from "#renderer/ui/metric-text.ts";
import { niceScale, placeLabels, type Series, scaleOf } from "./series.ts";

/**
 * The chart as a drawing for a paper: the same lines, scales and colours as on the page, on white, whatever the
 * scheme of the page is. Nothing in it refers to anything outside, neither to a style sheet nor to a font file.
 */
export interface ChartDrawing {
  readonly title: string;
  /** Its chance level is drawn as a dotted line. */
  readonly metric: Metric;
  readonly series: readonly Series[];
  readonly rounds: number;
}

/** theme.css in its light scheme. */
export const LIGHT: Readonly<Record<string, string>> = {
  "--series-1": "#0067a8",
  "--series-2": "#c24e00",
  "--series-3": "#00795a",
  "--series-4": "#a3467f",
  "--series-5": "#5a5fc7",
  "--series-6": "#7a6400",
  "--series-7": "#007f86",
  "--series-8": "#a8324a",
  "--series-9": "#4d5563",
  "--series-10": "#8a5a2b",
  "--series-11": "#3f7d20",
  "--ink": "#1b1f27",
  "--mute": "#5c6473",
  "--line": "#e0e4ea",
};

export const WIDTH = 860;
const TOP = 56;
const PLOT = 340;
const LEFT = 66;
const FOOT = 58;
const LEGEND_LINE = 20;
/** Estimated: a drawing has nobody to measure its text. */
const LETTER = 7.1;
const LONGEST = 34;

export const heightOf = (series: readonly Series[]): number =>
  TOP + PLOT + FOOT + LEGEND_LINE * series.length + 8;

/** "var(--series-1)" → "#0067a8" */
export const resolved = (colour: string): string =>
  colour.replace(/var\((--[\w-]+)\)/g, (_, name: string) => LIGHT[name] ?? "#4d5563");

/** Names may hold anything; XML may not. */
export const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const n = (value: number) => String(Number(value.toFixed(2)));

/** @returns a whole SVG document */
export const chartSvg = ({ title, metric, series, rounds }: ChartDrawing): string => {
  const { chance } = metric;
  const height = heightOf(series);
  const names = series.map(({ label }) => shortName(label, LONGEST));
  const right = WIDTH - Math.max(40, 26 + LETTER * Math.max(0, ...names.map((name) => name.length)));
  const last = Math.max(rounds, 1);
  const scale = scaleOf(metric, series);
  const x = (round: number) => LEFT + (round / last) * (right - LEFT);
  const y = (value: number) => TOP + PLOT - ((value - scale.min) / (scale.max - scale.min)) * PLOT;
  const line = (points: readonly { readonly x: number; readonly y: number }[]) =>
    points.map((p, i) => `${i === 0 ? "M" : "L"}${n(p.x)} ${n(p.y)}`).join("");
  const text = (
    at: { x: number; y: number },
    words: string,
    { anchor = "start", size = 13, colour = LIGHT["--mute"]!, weight = 400, turn = "" } = {},
  ) =>
    `<text x="${n(at.x)}" y="${n(at.y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${colour}"${turn}>${escaped(words)}</text>`;
  const tickText = (value: number) => metricTick(metric, value, scale.max);
  const grid = scale.ticks.flatMap((tick) => [
    `<path d="M${LEFT} ${n(y(tick))}H${n(right)}" stroke="${LIGHT["--line"]}" stroke-width="1" fill="none"/>`,
    text({ x: LEFT - 9, y: y(tick) + 4.5 }, tickText(tick), { anchor: "end" }),
  ]);
  const roundTicks = niceScale(0, last, 8).ticks.filter((t) => t <= last && Number.isInteger(t));
  const bottom = roundTicks.map((t) =>
    text({ x: x(t), y: TOP + PLOT + 20 }, String(t), { anchor: "middle" }),
  );
  const guess =
    chance === null
      ? []
      : [
          `<path d="M${LEFT} ${n(y(chance))}H${n(right)}" stroke="${LIGHT["--mute"]}" stroke-width="1" stroke-dasharray="3 4" fill="none"/>`,
          text({ x: right - 4, y: y(chance) - 5 }, `chance ${metricLevel(metric, chance)}`, {
            anchor: "end",
            size: 12,
          }),
        ];
  const bands = series.flatMap(({ band, colour }) =>
    band === undefined || band.length < 2
      ? []
      : [
          `<path d="${line([
            ...band.map((b) => ({ x: x(b.round), y: clamp(y(b.high)) })),
            ...band.toReversed().map((b) => ({ x: x(b.round), y: clamp(y(b.low)) })),
          ])}Z" fill="${resolved(colour)}" fill-opacity="0.16" stroke="none"/>`,
        ],
  );
  const curves = series.map(
    ({ points, colour, dash, kind }) =>
      `<path d="${line(points.map((p) => ({ x: x(p.round), y: y(p.value) })))}" fill="none" stroke="${resolved(colour)}" stroke-width="${kind === "mean" ? 2.4 : 1}" stroke-linejoin="round"${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}/>`,
  );
  const ends = series.flatMap((s, i) => {
    const end = s.points.at(-1);
    return end === undefined
      ? []
      : [{ name: names[i]!, colour: resolved(s.colour), x: x(end.round), y: y(end.value) }];
  });
  const placed = placeLabels(ends, { width: LETTER * LONGEST, gap: 17, min: TOP + 4, max: TOP + PLOT });
  const labels = ends.flatMap((end, i) => [
    `<circle cx="${n(end.x)}" cy="${n(end.y)}" r="3.5" fill="${end.colour}"/>`,
    text({ x: end.x + 9, y: placed[i]! + 4.5 }, end.name, { colour: end.colour, weight: 600 }),
  ]);
  const legend = series.flatMap((s, i) => {
    const at = TOP + PLOT + FOOT + 6 + i * LEGEND_LINE;
    const dash = s.dash === undefined ? "" : ` stroke-dasharray="${s.dash}"`;
    const band = s.band === undefined ? "" : " (mean ± standard deviation over trials)";
    return [
      `<path d="M${LEFT} ${at}h26" fill="none" stroke="${resolved(s.colour)}" stroke-width="3"${dash}/>`,
      text({ x: LEFT + 35, y: at + 4.5 }, `${shortName(s.label, 80)}${band}`, { colour: LIGHT["--ink"]! }),
    ];
  });
  const middle = TOP + PLOT / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text({ x: LEFT, y: 30 }, cut(title, 92), { size: 16, weight: 600, colour: LIGHT["--ink"]! }),
    ...grid,
    ...bottom,
    text({ x: (LEFT + right) / 2, y: TOP + PLOT + 42 }, "Round", { anchor: "middle" }),
    text({ x: 18, y: middle }, metricHeading(metric.unit === "%" ? { ...metric, unit: "" } : metric), {
      anchor: "middle",
      turn: ` transform="rotate(-90 18 ${middle})"`,
    }),
    ...guess,
    ...bands,
    ...curves,
    ...labels,
    ...legend,
    "</svg>",
    "",
  ].join("\n");
};

/** A band may reach past the scale: it ends where the plot does. */
const clamp = (y: number): number => Math.min(TOP + PLOT, Math.max(TOP, y));
