import { ALGORITHM_NAMES } from "#contract/algorithms/algorithms.ts";
import { virtualGroups } from "#contract/fleet.ts";
import type { Study } from "#contract/study.ts";

/** Settings by their path in the file, `optimizer.lr`, as text. */
export type Settings = ReadonlyMap<string, string>;

const BLOCKS: ReadonlySet<string> = new Set(ALGORITHM_NAMES);

const rootOf = (path: string): string => path.split(/[.[]/, 1)[0] ?? path;

/** The algorithm that alone reads this setting; undefined for one that all read. */
export const ownerOf = (path: string): string | undefined => {
  const root = rootOf(path);
  return BLOCKS.has(root) ? root : undefined;
};

/** Whether a setting is this one or lies below it. */
export const isWithin = (path: string, roots: readonly string[]): boolean => roots.includes(rootOf(path));

/**
 * What is written in a study file, but for its name and the list of its algorithms. Groups of devices are in their
 * long form, so that two ways to write the same fleet are no difference.
 */
export const settingsOf = ({ name: _, algorithms: __, ...study }: Study): Settings => {
  const flat = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`);
    } else if (typeof value === "object") {
      for (const [key, item] of Object.entries(value)) walk(item, path === "" ? key : `${path}.${key}`);
    } else flat.set(path, String(value));
  };
  walk({ ...study, fleet: { ...study.fleet, virtual: virtualGroups(study.fleet) } }, "");
  return flat;
};

export const NOT_SET = "not set";
/** Stands where a setting is of no concern to a row. */
export const NO_CONCERN = "–";

export interface Difference {
  readonly path: string;
  /** One per row, in their order. */
  readonly values: readonly string[];
}

/** The settings that are not the same in all rows whom they concern. */
export const differencesOf = (
  rows: readonly { readonly algorithm: string; readonly settings: Settings }[],
): Difference[] => {
  const paths = [...new Set(rows.flatMap(({ settings }) => [...settings.keys()]))];
  return paths.flatMap((path): Difference[] => {
    const owner = ownerOf(path);
    const values = rows.map(({ algorithm, settings }) =>
      owner === undefined || owner === algorithm ? (settings.get(path) ?? NOT_SET) : NO_CONCERN,
    );
    const concerned = new Set(values.filter((_, i) => owner === undefined || rows[i]!.algorithm === owner));
    return concerned.size > 1 ? [{ path, values }] : [];
  });
};
