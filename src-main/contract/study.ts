import { z } from "zod";
import {
  ALGORITHM_NAMES,
  algorithmSettings,
  algorithmsFor,
  definitionOf,
  traitsOf,
} from "./algorithms/algorithms.ts";
import { dataNames, fleetProblems, fleetSchema, fleetSize, hasForeignData } from "./fleet.ts";
import { reportedMetricsSchema } from "./metrics.ts";
import { readTarget, unmeetable } from "./target.ts";
import { metricsOf, TASK_NAMES, taskOf } from "./tasks/tasks.ts";

const positiveInt = z.number().int().min(1);
const fraction = z.number().min(0).max(1);
/** A timer cannot wait for more than 24 days. */
const seconds = z.number().positive().max(1_000_000);

const partition = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("iid") }),
  z.strictObject({ kind: z.literal("shards"), shardsPerClient: positiveInt.default(2) }),
  z.strictObject({
    kind: z.literal("dirichlet"),
    alpha: z.number().positive(),
    /** Fewest samples that a client may get; the draw is repeated until all have them. */
    minSamples: positiveInt.default(10),
  }),
  z.strictObject({
    kind: z.literal("class-skew"),
    /** Main classes per client. */
    classes: positiveInt,
    /** Weight of a sample whose class is one of the client's main classes, and of any other sample. */
    high: fraction.default(0.7),
    low: fraction.default(0.3),
  }),
]);

const optimizer = z.strictObject({
  kind: z.enum(["sgd", "adam", "rmsprop"]).default("sgd"),
  lr: z.number().positive(),
  momentum: z.number().min(0).max(1).default(0),
  nesterov: z.boolean().default(false),
  weightDecay: z.number().min(0).default(0),
  /** The learning rate is multiplied by this after every round. */
  lrDecay: z.number().positive().max(1).default(1),
});

const stop = z.strictObject({
  /** A round closes this long after it began, with the updates that are there. */
  deadlineSeconds: seconds.optional(),
  /** k of n: once this many updates are in, the others get `graceSeconds` more. */
  minUpdates: positiveInt.optional(),
  graceSeconds: z.number().min(0).max(1_000_000).default(0),
  /** A run ends when a metric reaches a value, e.g. `accuracy >= 0.9` or `loss <= 0.3`. */
  target: z
    .string()
    .refine((text) => readTarget(text) !== undefined, {
      error: 'write a metric, >= or <=, and a number: "accuracy >= 0.9" or "loss <= 0.3"',
    })
    .optional(),
  /** A run ends after this many rounds in a row without a better primary metric (or loss, where that is unknown). */
  patience: positiveInt.optional(),
});

/** The only fleet whose data is not on this computer. */
const ONLY_EXTERNAL =
  "needs a fleet of external clients only, and no evaluation on the server (central: false)";

export const studySchema = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    task: z
      .enum(TASK_NAMES, {
        error: (issue) =>
          issue.input === "reid"
            ? `vehicle re-identification is not in this version; write ${TASK_NAMES.join(" or ")}`
            : `write ${TASK_NAMES.join(" or ")}`,
      })
      .default("classification"),
    /** A name of the catalogue, or `on-clients` where only external clients hold data. */
    dataset: z.string().min(1),
    model: z.enum(["Net", "FedAvgNet", "ResNet8", "ResNet18", "from-client"]),
    algorithms: z.array(z.enum(ALGORITHM_NAMES)).min(1),
    partition: partition.default({ kind: "iid" }),
    fleet: fleetSchema,
    rounds: positiveInt.max(100_000),
    localEpochs: positiveInt.default(1),
    batchSize: positiveInt.default(32),
    optimizer,
    sampling: z
      .strictObject({
        /** Share of the fleet that is drawn each round. */
        fraction: z.number().gt(0).max(1).default(1),
        /** Fewest clients that are drawn. */
        minFit: positiveInt.default(1),
        /** A round waits until this many clients are connected; default: the whole fleet. */
        minAvailable: positiveInt.optional(),
      })
      .prefault({}),
    ...algorithmSettings,
    /** Metrics that clients report themselves: their titles, units and directions. */
    metrics: reportedMetricsSchema.default({}),
    trials: positiveInt.max(1000).default(1),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1),
    evaluation: z
      .strictObject({
        /** The server evaluates the global model on the whole test set after each round. */
        central: z.boolean().default(true),
        /** The devices that are connected evaluate it on their part of the test set. */
        federated: z.boolean().default(false),
      })
      .prefault({}),
    stop: stop.prefault({}),
  })
  .superRefine((s, context) => {
    const problem = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    s.algorithms.forEach((name, i) => {
      if (s.algorithms.indexOf(name) !== i) problem(["algorithms", i], `${name} is listed twice`);
    });
    if (s.optimizer.nesterov && !(s.optimizer.kind === "sgd" && s.optimizer.momentum > 0)) {
      problem(["optimizer", "nesterov"], "Nesterov momentum needs kind sgd and momentum above 0");
    }
    if (s.optimizer.kind === "adam" && s.optimizer.momentum > 0) {
      problem(["optimizer", "momentum"], "Adam has no momentum setting; leave it out");
    }
    const total = fleetSize(s.fleet);
    const tooFew = (wanted: number) => `asks for ${wanted} devices, but the fleet has only ${total}`;
    if (s.sampling.minFit > total) {
      problem(["sampling", "minFit"], tooFew(s.sampling.minFit));
    }
    if (s.sampling.minAvailable !== undefined && s.sampling.minAvailable > total) {
      problem(["sampling", "minAvailable"], tooFew(s.sampling.minAvailable));
    }
    if (s.stop.minUpdates !== undefined && s.stop.minUpdates > total) {
      problem(["stop", "minUpdates"], tooFew(s.stop.minUpdates));
    }
    const holdsData = dataNames(s.fleet).length > 0;
    if (s.dataset === "on-clients" && (holdsData || s.evaluation.central)) {
      problem(["dataset"], `on-clients ${ONLY_EXTERNAL}`);
    }
    if (s.model === "from-client" && (holdsData || s.evaluation.central)) {
      problem(["model"], `from-client ${ONLY_EXTERNAL}`);
    }
    const task = taskOf(s.task);
    if (s.model !== "from-client" && !task.models.includes(s.model)) {
      problem(["model"], `${s.task} has no model ${s.model}; write one of ${task.models.join(", ")}`);
    }
    if (!task.partitions.includes(s.partition.kind)) {
      problem(
        ["partition", "kind"],
        `${s.task} has no partition ${s.partition.kind}; write one of ${task.partitions.join(", ")}`,
      );
    }
    s.algorithms.forEach((name, i) => {
      const { title, tasks } = definitionOf(name);
      const { keepsHead, notOnForeignClients } = traitsOf(name);
      if (!tasks.includes(s.task)) {
        problem(
          ["algorithms", i],
          `${title} is not for ${s.task}; write one of ${algorithmsFor(s.task).join(", ")}`,
        );
      }
      if (notOnForeignClients !== undefined && hasForeignData(s.fleet)) {
        problem(["algorithms", i], `${title} ${notOnForeignClients}; leave fleet.external out`);
      }
      if (keepsHead && (s.evaluation.central || !s.evaluation.federated)) {
        problem(
          ["evaluation"],
          `${title}'s whole model exists only on the devices: evaluate there (federated: true), not on the server (central: false)`,
        );
      }
    });
    const target = s.stop.target === undefined ? undefined : readTarget(s.stop.target);
    if (target !== undefined) {
      const known = metricsOf(s);
      const metric = known.find(({ id }) => id === target.metric);
      if (metric === undefined && !hasForeignData(s.fleet)) {
        problem(
          ["stop", "target"],
          `no device of this study measures ${target.metric}; choose one of ${known.map(({ id }) => id).join(", ")}`,
        );
      }
      const why = metric === undefined ? undefined : unmeetable(target, metric);
      if (why !== undefined) problem(["stop", "target"], why);
    }
    if (s.stop.graceSeconds > 0 && s.stop.minUpdates === undefined) {
      problem(
        ["stop", "graceSeconds"],
        "the grace period begins once stop.minUpdates updates have arrived; set stop.minUpdates as well",
      );
    }
    for (const { path, message } of fleetProblems(s.fleet)) problem([...path], message);
  });

/** A study as it is written in a file: what has a default may be missing. */
export type StudyInput = z.input<typeof studySchema>;
/** A study with every default filled in. */
export type Study = z.output<typeof studySchema>;
export type PartitionSettings = Study["partition"];

export interface StudyProblem {
  /** `partition.alpha`, `algorithms[1]`, or "" for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    "",
  );

const KINDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a group of settings",
};

/** The problem with a field, in the terms of the file, not of the validator. */
const plainMessage = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case "invalid_type": {
      const kind = KINDS[issue.expected] ?? issue.expected;
      return issue.input === undefined && / undefined$/.test(issue.message)
        ? `is missing; it must be ${kind}`
        : `must be ${kind}`;
    }
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? "must not be empty"
        : `must be ${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string"
        ? `must have at most ${issue.maximum} characters`
        : `must be ${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
    case "invalid_value":
      return `must be one of ${issue.values.join(", ")}`;
    case "invalid_union":
      return issue.discriminator === undefined
        ? "must be a number, a group of settings, or a list of groups"
        : issue.message;
    default:
      return issue.message;
  }
};

/**
 * Checks a study as it was read from YAML, JSON or a form.
 * @returns the study with its defaults, or every problem with the field's path.
 */
export const parseStudy = (
  input: unknown,
): { ok: true; study: Study } | { ok: false; problems: StudyProblem[] } => {
  const parsed = studySchema.safeParse(input);
  if (parsed.success) return { ok: true, study: parsed.data };
  const problemsOf = (issue: z.core.$ZodIssue, before: readonly PropertyKey[]): StudyProblem[] => {
    const path = [...before, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: pathText([...path, key]), message: "no such setting" }));
    }
    if (issue.code === "invalid_union") {
      // Of a number, a group or a list, what was written is meant: only what is wrong inside of it is told.
      const meant = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
      if (meant !== undefined && meant.length > 0) return meant.flatMap((inner) => problemsOf(inner, path));
    }
    return [{ path: pathText(path), message: plainMessage(issue) }];
  };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, []));
  return { ok: false, problems };
};
