import { z } from "zod";

/** Algorithms for image classification. Each is a strategy on the server and a recipe on the clients. */
export const ALGORITHM_NAMES = [
  "fedavg",
  "fedprox",
  "fedntd",
  "fedavgm",
  "fedadam",
  "fedyogi",
  "fedmedian",
  "fedtrimmedavg",
  "fedper",
] as const;
export type AlgorithmName = (typeof ALGORITHM_NAMES)[number];

/** @throws Error for a name that this version does not know: such a record was written by another version. */
export const toAlgorithmName = (text: string): AlgorithmName => {
  const known = ALGORITHM_NAMES.find((name) => name === text);
  if (known === undefined) throw new Error(`this version does not know the algorithm ${text}`);
  return known;
};

const positiveInt = z.number().int().min(1);
const fraction = z.number().min(0).max(1);
/** A timer cannot wait for more than 24 days. */
const seconds = z.number().positive().max(1_000_000);

/** A group of virtual devices that share a profile. */
export const virtualGroup = z.strictObject({
  count: positiveInt.max(10_000),
  /** Devices are called `${name}-1`, `${name}-2`, …. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/i, "letters, digits and dashes, 41 at most")
    .default("virtual"),
  /** Times the training takes, by waiting: 1 is as fast as this computer, 3 three times slower. */
  slowness: z.number().min(1).max(1000).default(1),
  /** Probability, per round, that the device drops its connection instead of answering; it rejoins afterwards. */
  dropOut: fraction.default(0),
  /** Probability, per round, that the whole worker process under the device dies. */
  crash: fraction.default(0),
});

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

/** The server's step of FedAdam and FedYogi. */
const adaptive = z.strictObject({
  serverLr: z.number().positive().default(0.01),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.99),
  tau: z.number().positive().default(0.001),
});

const stop = z.strictObject({
  /** A round closes this long after it began, with the updates that are there. */
  deadlineSeconds: seconds.optional(),
  /** k of n: once so many updates are in, the rest get `graceSeconds` more. */
  minUpdates: positiveInt.optional(),
  graceSeconds: z.number().min(0).max(1_000_000).default(0),
  /** A run ends when its metric gets there, e.g. `accuracy >= 0.9` or `loss <= 0.3`. */
  target: z
    .string()
    .regex(/^\s*(accuracy|loss)\s*(>=|<=)\s*\d+(\.\d+)?\s*$/, 'write "accuracy >= 0.9" or "loss <= 0.3"')
    .optional(),
  /** A run ends after so many rounds without a better accuracy (or loss, where no accuracy is known). */
  patience: positiveInt.optional(),
});

export const studySchema = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    task: z
      .enum(["classification"], {
        error: (issue) =>
          issue.input === "reid"
            ? "vehicle re-identification is not in this version; write classification"
            : "write classification",
      })
      .default("classification"),
    /** A name of the catalogue, or `on-clients` where only external clients hold data. */
    dataset: z.string().min(1),
    model: z.enum(["Net", "FedAvgNet", "ResNet8", "ResNet18", "from-client"]),
    algorithms: z.array(z.enum(ALGORITHM_NAMES)).min(1),
    partition: partition.default({ kind: "iid" }),
    fleet: z
      .strictObject({
        virtual: z.union([positiveInt.max(10_000), virtualGroup, z.array(virtualGroup).min(1)]).optional(),
        devices: z.array(z.string().min(1)).min(1).optional(),
        external: positiveInt.max(10_000).optional(),
      })
      .refine((f) => f.virtual !== undefined || f.external !== undefined || f.devices !== undefined, {
        error: "name at least one of virtual, devices, external",
      }),
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
        /** A round waits until so many clients are connected; default: the whole fleet. */
        minAvailable: positiveInt.optional(),
      })
      .prefault({}),
    fedntd: z
      .strictObject({
        tau: z.number().positive().default(1),
        beta: z.number().min(0).default(1),
        tauSquared: z.boolean().default(true),
      })
      .prefault({}),
    fedprox: z.strictObject({ mu: z.number().min(0).default(0.01) }).prefault({}),
    fedavgm: z
      .strictObject({
        momentum: z.number().min(0).lt(1).default(0.7),
        serverLr: z.number().positive().default(1),
      })
      .prefault({}),
    fedadam: adaptive.prefault({}),
    fedyogi: adaptive.prefault({}),
    /** Share of updates cut off at each end, per element. */
    fedtrimmedavg: z.strictObject({ beta: z.number().min(0).lt(0.5).default(0.2) }).prefault({}),
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
      if (s.algorithms.indexOf(name) !== i) problem(["algorithms", i], `${name} is named twice`);
    });
    if (s.optimizer.nesterov && !(s.optimizer.kind === "sgd" && s.optimizer.momentum > 0)) {
      problem(["optimizer", "nesterov"], "Nesterov's step needs kind sgd and momentum above 0");
    }
    if (s.optimizer.kind === "adam" && s.optimizer.momentum > 0) {
      problem(["optimizer", "momentum"], "Adam has no momentum setting; leave it out");
    }
    const total = fleetSize(s.fleet);
    if (s.sampling.minFit > total) {
      problem(
        ["sampling", "minFit"],
        `the fleet has ${total} device(s), fewer than minFit ${s.sampling.minFit}`,
      );
    }
    if ((s.sampling.minAvailable ?? 0) > total) {
      problem(
        ["sampling", "minAvailable"],
        `the fleet has ${total} device(s), fewer than minAvailable ${s.sampling.minAvailable}`,
      );
    }
    if (s.stop.minUpdates !== undefined && s.stop.minUpdates > total) {
      problem(
        ["stop", "minUpdates"],
        `the fleet has ${total} device(s), fewer than minUpdates ${s.stop.minUpdates}`,
      );
    }
    const holdsData = s.fleet.virtual !== undefined || s.fleet.devices !== undefined;
    if (s.dataset === "on-clients" && (holdsData || s.evaluation.central)) {
      problem(["dataset"], "on-clients fits only a fleet of external clients with evaluation.central: false");
    }
    if (s.model === "from-client" && (holdsData || s.evaluation.central)) {
      problem(["model"], "from-client fits only a fleet of external clients with evaluation.central: false");
    }
    if (s.algorithms.includes("fedper") && s.fleet.external !== undefined) {
      problem(
        ["algorithms", s.algorithms.indexOf("fedper")],
        "fedper keeps the classifier on the device, which external Flower clients do not; leave fleet.external out",
      );
    }
    if (s.algorithms.includes("fedper") && (s.evaluation.central || !s.evaluation.federated)) {
      problem(
        ["evaluation"],
        "fedper's whole model exists only on the devices: set central: false and federated: true",
      );
    }
    if (s.stop.graceSeconds > 0 && s.stop.minUpdates === undefined) {
      problem(["stop", "graceSeconds"], "it begins when minUpdates updates are in; set stop.minUpdates, too");
    }
    const names = virtualGroups(s.fleet).map((g) => g.name);
    names.forEach((name, i) => {
      if (name === "external")
        problem(["fleet", "virtual", i, "name"], "external is what foreign clients are called");
      if (names.indexOf(name) !== i)
        problem(["fleet", "virtual", i, "name"], `two groups are called ${name}`);
    });
    const boards = s.fleet.devices ?? [];
    // a count that is far too large was told already: its names are not made
    const named = boards.length > 0 && total <= 100_000;
    const virtual = new Set(named ? virtualNames(s.fleet) : []);
    boards.forEach((name, i) => {
      if (boards.indexOf(name) !== i) problem(["fleet", "devices", i], `${name} is named twice`);
      if (virtual.has(name)) problem(["fleet", "devices", i], `a virtual device is called ${name}, too`);
    });
  });

/** A study as it is written in a file: what has a default may be missing. */
export type StudyInput = z.input<typeof studySchema>;
/** A study with every default filled in. */
export type Study = z.output<typeof studySchema>;
export type VirtualGroup = z.output<typeof virtualGroup>;
export type PartitionSettings = Study["partition"];

/** `fleet.virtual` in its long form. */
export const virtualGroups = (fleet: Study["fleet"]): readonly VirtualGroup[] => {
  const v = fleet.virtual;
  if (v === undefined) return [];
  if (typeof v === "number") return [{ count: v, name: "virtual", slowness: 1, dropOut: 0, crash: 0 }];
  return Array.isArray(v) ? v : [v];
};

/** The names of the virtual devices, in order: `virtual-1`, `virtual-2`, …. */
export const virtualNames = (fleet: Study["fleet"]): readonly string[] =>
  virtualGroups(fleet).flatMap((g) => Array.from({ length: g.count }, (_, i) => `${g.name}-${i + 1}`));

/** Those that the data is dealt out to, in order: virtual devices, then boards. */
export const dataNames = (fleet: Study["fleet"]): readonly string[] => [
  ...virtualNames(fleet),
  ...(fleet.devices ?? []),
];

export const fleetSize = (fleet: Study["fleet"]): number =>
  virtualGroups(fleet).reduce((sum, { count }) => sum + count, 0) +
  (fleet.devices?.length ?? 0) +
  (fleet.external ?? 0);

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
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a group of settings",
};

/** What is wrong with a field, in words of the file rather than of its checker. */
const plainMessage = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case "invalid_type": {
      const kind = KINDS[issue.expected] ?? issue.expected;
      return issue.input === undefined && / undefined$/.test(issue.message)
        ? `is missing; ${kind} must be there`
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
