import { parseStudy, type Study, type StudyProblem } from "#contract/study.ts";

/** Stand-ins for required settings that are wrong or missing, so that the rest can be checked. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  name: "study",
  model: "Net",
  algorithms: ["fedavg"],
  rounds: 1,
  optimizer: { lr: 0.01 },
};

/** Removing one wrong setting may reveal the next. */
const ATTEMPTS = 4;

/** Fits every data set, model and algorithm. */
const ON_DEVICES = { central: false, federated: true } as const;

/** Problems with the evaluation only: the data, the model and the algorithm would fit if devices evaluated. */
const aboutEvaluation = (
  input: Readonly<Record<string, unknown>>,
  problems: readonly StudyProblem[],
): readonly StudyProblem[] => {
  const again = parseStudy({ ...input, evaluation: ON_DEVICES });
  const left = again.ok ? [] : again.problems.map(({ path }) => path);
  return problems.filter(
    ({ path }) => ["dataset", "model", "evaluation"].includes(path) && !left.includes(path),
  );
};

export interface LenientStudy {
  /** Undefined where too little of the input makes sense. */
  readonly study: Study | undefined;
  readonly problems: readonly StudyProblem[];
  /** Settings that differ from the input, by their first name: `sampling` for `sampling.minFit`. */
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
 * Reads a study that may be half written. Returns all its problems, and a study without the wrong settings: so much can
 * be checked in spite of them.
 */
export const readLeniently = (input: unknown): LenientStudy => {
  const parsed = parseStudy(input);
  if (parsed.ok) return { study: parsed.study, problems: [], doubtful: new Set() };
  const { problems } = parsed;
  const doubtful = new Set<string>();
  if (!isGroup(input) || Array.isArray(input)) return { study: undefined, problems, doubtful };
  const rest = structuredClone(input);
  const onlyEvaluation = aboutEvaluation(input, problems);
  if (onlyEvaluation.length > 0) {
    rest.evaluation = ON_DEVICES;
    doubtful.add("evaluation");
  }
  let wrong: readonly StudyProblem[] = problems;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // in reverse order, so that removing one does not move those before it
    for (const problem of wrong.toReversed()) {
      if (attempt === 0 && onlyEvaluation.includes(problem)) continue;
      const keys = keysOf(problem.path);
      const [top] = keys;
      if (top === undefined) return { study: undefined, problems, doubtful };
      doubtful.add(top);
      // from the second attempt on, the whole setting is removed
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

/** The value of a setting in the input. */
export const valueAt = (input: unknown, path: string): unknown =>
  keysOf(path).reduce<unknown>((at, key) => (isGroup(at) ? at[key] : undefined), input);
