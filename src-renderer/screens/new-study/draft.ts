import { ALGORITHM_NAMES } from "#contract/algorithms/algorithms.ts";
import { parseStudy, type Study, type StudyProblem } from "#contract/study.ts";

/**
 * A study as the form holds it: what a file would say, wrong and missing settings too. A number field that holds
 * something else holds its text.
 */
export type Draft = Readonly<Record<string, unknown>>;

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** "fleet.virtual[1].name" → fleet, virtual, 1, name */
const keysOf = (path: string): readonly string[] => path.split(/[.[\]]+/).filter((key) => key !== "");

export const getAt = (root: unknown, path: string): unknown =>
  keysOf(path).reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    root,
  );

/** The draft with another value at the path; undefined takes the setting out. What is not on the path stays the same object. */
export const setAt = (root: Draft, path: string, value: unknown): Draft =>
  setIn(root, keysOf(path), value) as Draft;

const setIn = (at: unknown, [key, ...rest]: readonly string[], value: unknown): unknown => {
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const next = setIn(at[Number(key)], rest, value);
    return next === undefined ? at.toSpliced(Number(key), 1) : at.with(Number(key), next);
  }
  const group = isGroup(at) ? at : {};
  const next = setIn(group[key], rest, value);
  if (next !== undefined) return { ...group, [key]: next };
  const { [key]: _gone, ...others } = group;
  return others;
};

/** Several settings at once, by their paths. */
export const patched = (draft: Draft, patch: Readonly<Record<string, unknown>>): Draft =>
  Object.entries(patch).reduce((before, [path, value]) => setAt(before, path, value), draft);

/** What a field's text means: a number, nothing, or the text itself, which is then found wrong. */
export const toValue = (text: string): number | string | undefined => {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : text;
};

/** Settings that have to be written, whatever they are. */
const REQUIRED = { name: "x", dataset: "x", model: "Net", algorithms: ["fedavg"], rounds: 1 } as const;
/** The smallest partition of each kind: what it has more after the check is a default. */
const PARTITIONS: readonly Draft[] = [
  { kind: "iid" },
  { kind: "shards" },
  { kind: "dirichlet", alpha: 1 },
  { kind: "class-skew", classes: 1 },
];

const without = (group: Draft, keys: readonly string[]): Draft =>
  Object.fromEntries(Object.entries(group).filter(([key]) => !keys.includes(key)));

const complete = (more: Draft): Study => {
  const parsed = parseStudy({
    ...REQUIRED,
    fleet: { virtual: [{ count: 1 }] },
    optimizer: { lr: 1 },
    ...more,
  });
  if (!parsed.ok) throw new Error(parsed.problems.map((p) => `${p.path} ${p.message}`).join("; "));
  return parsed.study;
};

interface Defaults {
  readonly study: Draft;
  readonly group: Draft;
  readonly partitions: ReadonlyMap<unknown, Draft>;
  /** Names of the settings in the order of the schema. */
  readonly order: readonly string[];
}

let known: Defaults | undefined;
/** The schema says them; they are asked for once. */
const defaults = (): Defaults => {
  if (known !== undefined) return known;
  const study = complete({});
  const [group] = study.fleet.virtual as readonly Draft[];
  known = {
    study: {
      ...without(study, [...Object.keys(REQUIRED), "fleet", "partition"]),
      optimizer: without(study.optimizer, ["lr"]),
    },
    group: without(group ?? {}, ["count"]),
    partitions: new Map(
      PARTITIONS.map((smallest) => [
        smallest.kind,
        without(complete({ partition: smallest }).partition as Draft, Object.keys(smallest)),
      ]),
    ),
    order: Object.keys(study),
  };
  return known;
};

/** What stands for a setting that is not written; undefined where it must be. */
export const defaultAt = (draft: Draft, path: string): unknown => {
  if (path.startsWith("partition."))
    return defaults().partitions.get(getAt(draft, "partition.kind"))?.[path.slice("partition.".length)];
  if (path.startsWith("fleet.virtual[")) return defaults().group[keysOf(path).at(-1) ?? ""];
  return path === "partition" ? { kind: "iid" } : getAt(defaults().study, path);
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** @returns undefined where nothing is left */
const unlike = (value: unknown, usual: unknown): unknown => {
  if (value === undefined || same(value, usual)) return undefined;
  if (!isGroup(value) || !isGroup(usual)) return value;
  const rest = Object.entries(value).flatMap(([key, item]) => {
    const left = unlike(item, usual[key]);
    return left === undefined ? [] : [[key, left] as const];
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
};

const tidyPartition = (value: unknown): unknown => {
  if (!isGroup(value)) return value;
  const { kind, ...settings } = value;
  if (kind === "iid" && Object.keys(settings).length === 0) return undefined;
  return { kind, ...(unlike(settings, defaults().partitions.get(kind) ?? {}) as Draft | undefined) };
};

const tidyFleet = (value: unknown): unknown => {
  if (!isGroup(value) || !Array.isArray(value.virtual)) return value;
  return { ...value, virtual: value.virtual.map((group) => unlike(group, defaults().group) ?? {}) };
};

/**
 * What has to be written of it: neither defaults nor settings of algorithms that were not chosen, in the order of the
 * schema.
 */
export const tidy = (draft: Draft): Draft => {
  const { study, order } = defaults();
  const chosen = Array.isArray(draft.algorithms) ? draft.algorithms : [];
  const idle = ALGORITHM_NAMES.filter((name) => !chosen.includes(name)) as readonly string[];
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const entries = Object.entries(draft)
    .filter(([key]) => !idle.includes(key))
    .toSorted(([a], [b]) => place(a) - place(b))
    .flatMap(([key, value]) => {
      const left =
        key === "partition"
          ? tidyPartition(value)
          : key === "fleet"
            ? tidyFleet(value)
            : unlike(value, study[key]);
      return left === undefined ? [] : [[key, left] as const];
    });
  return Object.fromEntries(entries);
};

/** A recorded study as a draft of the next: "demo" becomes "demo-2", "demo-2" becomes "demo-3". */
export const fromStudy = (study: Study): Draft => ({ ...tidy(study), name: nextName(study.name) });

const LONGEST_NAME = 200;
export const nextName = (name: string): string => {
  const counted = /^(.*)-(\d{1,4})$/.exec(name);
  const [stem, ending] = counted === null ? [name, "-2"] : [counted[1], `-${Number(counted[2]) + 1}`];
  return `${(stem ?? "").slice(0, LONGEST_NAME - ending.length)}${ending}`;
};

/** What is wrong with the draft by itself. */
export const problemsOf = (draft: Draft): readonly StudyProblem[] => {
  const parsed = parseStudy(tidy(draft));
  return parsed.ok ? [] : parsed.problems;
};

/** Another kind of partition begins with settings that make sense. */
export const partitionOf = (kind: string): Draft =>
  kind === "dirichlet" ? { kind, alpha: 0.5 } : kind === "class-skew" ? { kind, classes: 2 } : { kind };
