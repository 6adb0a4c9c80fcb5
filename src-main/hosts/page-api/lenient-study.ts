import { parseStudy, type Study, type StudyProblem } from "#contract/study.ts";

/** What stands in for a setting that must be there and is wrong or missing, so that the rest can be looked at. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  name: "study",
  model: "Net",
  algorithms: ["fedavg"],
  rounds: 1,
  optimizer: { lr: 0.01 },
};

/** Removing one wrong setting may show the next. */
const ATTEMPTS = 4;

/** Where the data, the model or the algorithm fits, but the evaluation does not go with it. */
const isAboutEvaluation = ({ path, message }: StudyProblem): boolean =>
  ["dataset", "model", "evaluation"].includes(path) && message.includes("central: false");

export interface LenientStudy {
  /** Undefined where too little of it makes sense. */
  readonly study: Study | undefined;
  readonly problems: readonly StudyProblem[];
  /** First names of the settings that are not what was written: `sampling` for `sampling.minFit`. */
  readonly doubtful: ReadonlySet<string>;
}

const keysOf = (path: string): string[] => path.split(/[.[\]]+/).filter((key) => key !== "");

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const removeAt = (root: Record<string, unknown>, keys: readonly string[]): void => {
  let at: unknown = root;
  for (const key of keys.slice(0, -1)) at = isGroup(at) ? at[key] : undefined;
  const last = keys.at(-1);
  if (last === undefined || !isGroup(at)) return;
  if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
};

/**
 * Reads a study that may be half written: all its problems, and a study without the settings that are wrong, for what
 * can be said in spite of them.
 */
export const readLeniently = (input: unknown): LenientStudy => {
  const parsed = parseStudy(input);
  if (parsed.ok) return { study: parsed.study, problems: [], doubtful: new Set() };
  const { problems } = parsed;
  const doubtful = new Set<string>();
  if (!isGroup(input) || Array.isArray(input)) return { study: undefined, problems, doubtful };
  const rest = structuredClone(input);
  if (problems.some(isAboutEvaluation)) {
    rest.evaluation = { central: false, federated: true };
    doubtful.add("evaluation");
  }
  let wrong: readonly StudyProblem[] = problems;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // later ones first: the places of those before stay what they are
    for (const problem of wrong.toReversed()) {
      if (attempt === 0 && isAboutEvaluation(problem)) continue;
      const keys = keysOf(problem.path);
      const [top] = keys;
      if (top === undefined) return { study: undefined, problems, doubtful };
      doubtful.add(top);
      // a second time around the whole setting goes
      removeAt(rest, attempt === 0 ? keys : [top]);
    }
    for (const [name, standIn] of Object.entries(STAND_INS)) {
      if (doubtful.has(name) && rest[name] === undefined) rest[name] = standIn;
    }
    const again = parseStudy(rest);
    if (again.ok) return { study: again.study, problems, doubtful };
    wrong = again.problems;
  }
  return { study: undefined, problems, doubtful };
};

/** The value of a setting as it was written. */
export const valueAt = (input: unknown, path: string): unknown =>
  keysOf(path).reduce<unknown>((at, key) => (isGroup(at) ? at[key] : undefined), input);
