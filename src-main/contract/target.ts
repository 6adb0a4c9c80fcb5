import { METRIC_NAME, type Metric } from "./metrics.ts";

/** When a run ends: a metric that gets to a value. */
export interface Target {
  readonly metric: string;
  readonly comparison: ">=" | "<=";
  readonly value: number;
}

const FORM = /^\s*(\S+?)\s*(>=|<=)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i;

/** `accuracy >= 0.9`, `loss <= .3`, `rank-1>=0.5`. @returns undefined for what is no target */
export const readTarget = (text: string): Target | undefined => {
  const [, metric, comparison, number] = FORM.exec(text) ?? [];
  const value = Number(number);
  if (metric === undefined || !METRIC_NAME.test(metric) || !Number.isFinite(value)) return undefined;
  return { metric, comparison: comparison as Target["comparison"], value };
};

export const meets = ({ comparison, value: wanted }: Target, value: number): boolean =>
  comparison === ">=" ? value >= wanted : value <= wanted;

/** Why no round can ever meet it; undefined where one can. */
export const unmeetable = (
  { comparison, value }: Target,
  { id, range }: Pick<Metric, "id" | "range">,
): string | undefined => {
  if (range === undefined) return undefined;
  const [least, most] = range;
  const isPossible = comparison === ">=" ? value <= most : value >= least;
  if (isPossible) return undefined;
  const hint =
    value > 1 && value <= 100 && most === 1 ? `; ${value} % is ${id} ${comparison} ${value / 100}` : "";
  return `${id} lies between ${least} and ${most}, so this target can never be met${hint}`;
};
