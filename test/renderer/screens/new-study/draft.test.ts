import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGORITHM_NAMES } from "#contract/algorithms/algorithms.ts";
import { DEMO, PRESETS } from "#contract/presets.ts";
import { parseStudy, type Study } from "#contract/study.ts";
import {
  type Draft,
  defaultAt,
  fromStudy,
  getAt,
  nextName,
  partitionOf,
  patched,
  problemsOf,
  setAt,
  tidy,
  toValue,
} from "#renderer/screens/new-study/draft.ts";

const demo = DEMO as Draft;

const read = (input: unknown): Study => {
  const parsed = parseStudy(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};

/** The study without what its algorithms do not look at. */
const inEffect = (study: Study): Draft =>
  Object.fromEntries(
    Object.entries(study).filter(
      ([key]) =>
        !(ALGORITHM_NAMES as readonly string[]).includes(key) || study.algorithms.includes(key as "fedavg"),
    ),
  );

describe("a setting by its path", () => {
  it("is read in groups and lists, and absent where nothing is", () => {
    const draft = { fleet: { virtual: [{ count: 2 }, { count: 3, name: "slow" }] } };
    expect(getAt(draft, "fleet.virtual[1].name")).toBe("slow");
    expect(getAt(draft, "fleet.virtual[2].name")).toBeUndefined();
    expect(getAt(draft, "stop.patience")).toBeUndefined();
    expect(getAt(draft, "fleet.toString")).toBeUndefined();
  });

  it("is written without touching what is not on the path", () => {
    const next = setAt(demo, "optimizer.lr", 0.1);
    expect(getAt(next, "optimizer.lr")).toBe(0.1);
    expect(getAt(demo, "optimizer.lr")).toBe(0.02);
    expect(next.fleet).toBe(demo.fleet);
    expect(getAt(setAt(demo, "stop.patience", 3), "stop")).toEqual({ patience: 3 });
  });

  it("is taken out by undefined, an entry of a list with its place", () => {
    expect(getAt(setAt(demo, "optimizer.momentum", undefined), "optimizer")).toEqual({
      kind: "sgd",
      lr: 0.02,
      weightDecay: 0.00001,
    });
    const groups = { fleet: { virtual: [{ count: 1 }, { count: 2 }] } };
    expect(setAt(groups, "fleet.virtual[0]", undefined)).toEqual({ fleet: { virtual: [{ count: 2 }] } });
  });

  it("is patched with others at once", () => {
    const next = patched(demo, { "evaluation.central": false, "evaluation.federated": true });
    expect(next.evaluation).toEqual({ central: false, federated: true });
  });
});

describe("a field's text", () => {
  it.each([
    ["", undefined],
    ["  ", undefined],
    ["0.02", 0.02],
    ["1e-5", 0.00001],
    ["0.", 0],
    ["0,02", "0,02"],
    ["-", "-"],
    ["Infinity", "Infinity"],
  ])("%j means %j", (text, value) => {
    expect(toValue(text)).toBe(value);
  });
});

describe("a tidy draft", () => {
  it.each(PRESETS.map((preset) => [preset.name, preset] as const))(
    "of the preset %s is the same study",
    (_name, { study }) => {
      const whole = read(study);
      expect(inEffect(read(tidy(whole)))).toEqual(inEffect(whole));
    },
  );

  it("says nothing that is a default", () => {
    expect(tidy(read({ ...DEMO, partition: { kind: "iid" }, optimizer: { lr: 0.1 } }))).toEqual({
      name: DEMO.name,
      dataset: DEMO.dataset,
      model: DEMO.model,
      algorithms: DEMO.algorithms,
      fleet: { virtual: 4 },
      rounds: 8,
      localEpochs: 3,
      batchSize: 50,
      optimizer: { lr: 0.1 },
      sampling: { fraction: 0.5, minFit: 2 },
    });
  });

  it("keeps what must be there even where it looks like a default", () => {
    const draft = tidy({
      ...demo,
      rounds: 1,
      optimizer: { lr: 1 },
      partition: { kind: "dirichlet", alpha: 1 },
    });
    expect(draft).toMatchObject({
      rounds: 1,
      optimizer: { lr: 1 },
      partition: { kind: "dirichlet", alpha: 1 },
    });
    expect(tidy({ ...demo, fleet: { virtual: [{ count: 1, name: "virtual", slowness: 3 }] } }).fleet).toEqual(
      {
        virtual: [{ count: 1, slowness: 3 }],
      },
    );
  });

  it("leaves out settings of algorithms that were not chosen, wrong ones too", () => {
    const draft = { ...demo, algorithms: ["fedavg"], fedprox: { mu: -1 }, fedntd: { beta: 3 } };
    expect(tidy(draft)).not.toHaveProperty("fedprox");
    expect(tidy(draft)).not.toHaveProperty("fedntd");
    expect(problemsOf(draft)).toEqual([]);
    expect(problemsOf({ ...draft, algorithms: ["fedprox"] })).toEqual([
      { path: "fedprox.mu", message: "must be at least 0" },
    ]);
  });

  it("keeps what no study has, so that it is found", () => {
    expect(problemsOf({ ...demo, colour: "blue" })).toEqual([{ path: "colour", message: "no such setting" }]);
  });

  it("survives whatever is typed, and is tidy at once", () => {
    const path = fc.constantFrom(
      "rounds",
      "optimizer.lr",
      "fleet.virtual",
      "partition.kind",
      "stop",
      "algorithms",
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.jsonValue())), (changes) => {
        const draft = changes.reduce((before, [at, value]) => setAt(before, at, value), demo);
        const once = tidy(draft);
        expect(tidy(once)).toEqual(once);
        expect(() => problemsOf(draft)).not.toThrow();
      }),
    );
  });
});

describe("defaults", () => {
  it("are the schema's, and those of the partition's kind", () => {
    expect(defaultAt(demo, "sampling.fraction")).toBe(1);
    expect(defaultAt(demo, "evaluation.central")).toBe(true);
    expect(defaultAt(demo, "partition.shardsPerClient")).toBe(2);
    expect(defaultAt({ ...demo, partition: { kind: "dirichlet" } }, "partition.minSamples")).toBe(10);
    expect(defaultAt(demo, "fleet.virtual[0].slowness")).toBe(1);
    expect(defaultAt(demo, "rounds")).toBeUndefined();
    expect(defaultAt(demo, "optimizer.lr")).toBeUndefined();
    expect(defaultAt(demo, "stop.patience")).toBeUndefined();
  });

  it("of each kind of partition make a study without problems", () => {
    for (const kind of ["iid", "shards", "dirichlet", "class-skew"])
      expect(problemsOf({ ...demo, partition: partitionOf(kind) })).toEqual([]);
  });
});

describe("a recorded study as the next draft", () => {
  it("has the next name and the same settings", () => {
    const study = read({ ...DEMO, stop: { patience: 3 } });
    const draft = fromStudy(study);
    expect(draft.name).toBe("demo-fedavg-vs-fedntd-2");
    expect(draft.stop).toEqual({ patience: 3 });
    expect(inEffect(read({ ...draft, name: study.name }))).toEqual(inEffect(study));
  });

  it("counts on, and stays within the longest name", () => {
    expect(nextName("demo-2")).toBe("demo-3");
    expect(nextName("demo-9")).toBe("demo-10");
    expect(nextName("a".repeat(200))).toHaveLength(200);
    expect(nextName("a".repeat(200)).endsWith("a-2")).toBe(true);
  });
});

describe("a wrong group of devices", () => {
  it("is found at the very field", () => {
    const groups = (...virtual: unknown[]) => problemsOf({ ...demo, fleet: { virtual } }).map((p) => p.path);
    expect(groups({ count: 4 }, { count: 0, name: "slow" })).toEqual(["fleet.virtual[1].count"]);
    expect(groups({ count: 4, name: "a b" })).toEqual(["fleet.virtual[0].name"]);
    expect(groups({ count: 4, speed: 2 })).toEqual(["fleet.virtual[0].speed"]);
    expect(groups({ count: 4, name: "a" }, { count: 4, name: "a" })).toEqual(["fleet.virtual[1].name"]);
    expect(problemsOf({ ...demo, fleet: { virtual: "four" } })).toEqual([
      { path: "fleet.virtual", message: "must be a number, a group of settings, or a list of groups" },
    ]);
    expect(problemsOf({ ...demo, fleet: { virtual: 0 } })[0]?.path).toBe("fleet.virtual");
  });
});
