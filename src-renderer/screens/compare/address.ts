import { METRIC_NAME } from "#contract/metrics.ts";
import type { AtRound } from "#contract/views.ts";

/** What the page compares and how, as it stands in its address. */
export interface Address {
  readonly studies: readonly string[];
  /** Single runs, of any study. */
  readonly runs: readonly string[];
  readonly at: AtRound;
  /** Id; undefined: the first that any round knows. */
  readonly metric: string | undefined;
  readonly exporting: boolean;
}

const MOST_ROUNDS = 100_000;

/** What cannot be read is as if it were not there: an address may have been typed. */
export const readAddress = (search: string): Address => {
  const query = new URLSearchParams(search);
  return {
    studies: idsOf(query.get("studies")),
    runs: idsOf(query.get("runs")),
    at: atOf(query.get("at")),
    metric: metricIn(query.get("metric")),
    exporting: query.get("export") === "1",
  };
};

/** The address of what is given; what is usual is left out. */
export const writeAddress = ({ studies, runs, at, metric, exporting }: Address): string => {
  const parts = [
    ...(studies.length > 0 ? [`studies=${studies.map(encodeURIComponent).join(",")}`] : []),
    ...(runs.length > 0 ? [`runs=${runs.map(encodeURIComponent).join(",")}`] : []),
    ...(at === "last" ? [] : [`at=${at}`]),
    ...(metric === undefined ? [] : [`metric=${encodeURIComponent(metric)}`]),
    ...(exporting ? ["export=1"] : []),
  ];
  return parts.length === 0 ? "/compare" : `/compare?${parts.join("&")}`;
};

const idsOf = (text: string | null): string[] => [
  ...new Set((text ?? "").split(",").filter((id) => id.length > 0 && id.length <= 64)),
];

const metricIn = (text: string | null): string | undefined =>
  text !== null && METRIC_NAME.test(text) ? text : undefined;

const atOf = (text: string | null): AtRound => {
  if (text === "best" || text === "last5") return text;
  const round = Number(text);
  return text !== null && Number.isInteger(round) && round >= 1 && round <= MOST_ROUNDS ? round : "last";
};
