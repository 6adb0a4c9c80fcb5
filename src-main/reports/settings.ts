import { ALGORITHM_NAMES } from "#contract/algorithms/algorithms.ts";
import { virtualGroups } from "#contract/fleet.ts";
import { metricOf } from "#contract/metrics.ts";
import type { Study } from "#contract/study.ts";

/** Settings by their path in the file, `optimizer.lr`, as text. */
export type Settings = ReadonlyMap<string, string>;

const BLOCKS: ReadonlySet<string> = new Set(ALGORITHM_NAMES);

/** How a study file's description of a reported metric is shown, and what decides which value is better. */
const METRIC_LOOK = /^metrics\..+\.(title|unit)$/;
const METRIC_DIRECTION = /^metrics\..+\.better$/;

const rootOf = (path: string): string => path.split(/[.[]/, 1)[0] ?? path;

/** The only algorithm that reads this setting; undefined where all of them do. */
export const ownerOf = (path: string): string | undefined => {
  const root = rootOf(path);
  return BLOCKS.has(root) ? root : undefined;
};

/** Whether a setting is this one or lies below it. */
export const isWithin = (path: string, roots: readonly string[]): boolean => roots.includes(rootOf(path));

/**
 * The settings of a study file, without its name, the list of its algorithms, and the titles and units of reported
 * metrics, which only change how figures are shown. Groups of devices are in their long form, so two ways to write the
 * same fleet make no difference.
 */
export const settingsOf = ({ name: _, algorithms: __, ...study }: Study): Settings => {
  const flat = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`);
    } else if (typeof value === "object") {
      for (const [key, item] of Object.entries(value)) walk(item, path === "" ? key : `${path}.${key}`);
    } else if (!METRIC_LOOK.test(path)) flat.set(path, String(value));
  };
  walk({ ...study, fleet: { ...study.fleet, virtual: virtualGroups(study.fleet) } }, "");
  return flat;
};

const NOT_SET = "not set";
/** Shown where a row's algorithm does not read the setting. */
const NO_CONCERN = "–";

/** The value of a setting that the file does not give. */
const unset = (path: string): string => (METRIC_DIRECTION.test(path) ? metricOf("").better : NOT_SET);

export interface Difference {
  readonly path: string;
  /** One per row, in their order. */
  readonly values: readonly string[];
}

/** The settings that differ between the rows that read them. */
export const differencesOf = (
  rows: readonly { readonly algorithm: string; readonly settings: Settings }[],
): Difference[] => {
  const paths = [...new Set(rows.flatMap(({ settings }) => [...settings.keys()]))];
  return paths.flatMap((path): Difference[] => {
    const owner = ownerOf(path);
    const values = rows.map(({ algorithm, settings }) =>
      owner === undefined || owner === algorithm ? (settings.get(path) ?? unset(path)) : NO_CONCERN,
    );
    const concerned = new Set(values.filter((_, i) => owner === undefined || rows[i]!.algorithm === owner));
    return concerned.size > 1 ? [{ path, values }] : [];
  });
};
