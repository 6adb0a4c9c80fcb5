import { describe, expect, test } from "vitest";
import type { EngineInfo } from "#contract/jobs.ts";
import { parseStudy, type Study } from "#contract/study.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { FairnessCheck } from "#contract/views.ts";
import { compare } from "#main/reports/compare.ts";
import type { ComparedRun, ComparedStudy } from "#main/reports/compared.ts";
import { summarise } from "#main/reports/summary.ts";

const engine: EngineInfo = { kind: "native", version: "2.15.1", path: "/engine", threads: 2 };

const settings = (changes: Record<string, unknown> = {}): Study => {
  const parsed = parseStudy({
    name: "any",
    dataset: "fashion-mnist-sample",
    model: "Net",
    algorithms: ["fedavg", "fedntd"],
    fleet: { virtual: 4 },
    rounds: 2,
    optimizer: { lr: 0.05 },
    trials: 2,
    ...changes,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};

/** A run of two rounds that ends with an accuracy; `weights` those that it began with. */
const run = (
  study: string,
  algorithm: string,
  trial: number,
  accuracy: number,
  changes: Partial<ComparedRun> & { weights?: string } = {},
): ComparedRun => {
  const { weights = `weights of trial ${trial}`, ...rest } = changes;
  return {
    id: `r-${study}-${algorithm}-${trial}`,
    algorithm,
    trial,
    seed: 100 + trial,
    status: "done",
    engine,
    rounds: [
      { round: 0, metrics: { accuracy: 0.99, loss: 0 }, weightsSha256: weights },
      { round: 1, metrics: { accuracy: 0.9, loss: 0.1 } },
      { round: 2, metrics: { accuracy, loss: 1 - accuracy } },
    ],
    ...rest,
  };
};

const study = (name: string, runs: readonly ComparedRun[], changes: Partial<ComparedStudy> = {}) =>
  ({
    id: `s-${name}`,
    name,
    settings: settings({ name }),
    classes: ["a", "b", "c", "d", "e"],
    partitionSha: "9f2c12345678",
    datasetSha: "ab12ab12ab12",
    engine,
    runs,
    ...changes,
  }) satisfies ComparedStudy;

const pair = (changes: Partial<ComparedStudy> = {}, name = "A") =>
  study(
    name,
    [
      run(name, "fedavg", 1, 0.5),
      run(name, "fedntd", 1, 0.75),
      run(name, "fedavg", 2, 0.25),
      run(name, "fedntd", 2, 0.375),
    ],
    changes,
  );

const about = (checks: readonly FairnessCheck[], what: FairnessCheck["about"]) => {
  const found = checks.find((check) => check.about === what);
  if (found === undefined) throw new Error(`no check about ${what}`);
  return { ok: found.ok, text: found.text };
};

const failing = (studies: readonly ComparedStudy[]) => {
  const { fair, fairness } = compare(studies).comparison;
  const bad = fairness.filter(({ ok }) => !ok);
  expect(fair).toBe(bad.length === 0);
  return bad.map((check) => `${check.about}: ${check.text}`);
};

describe("the table", () => {
  test("of one study is that of its own table, with keys, runs and the note about few trials", () => {
    const one = pair();
    const { comparison } = compare([one]);
    const { id, name, settings: s, classes, runs } = one;
    const own = summarise({
      study: { id, name, model: s.model, dataset: s.dataset, rounds: s.rounds },
      metrics: metricsOf(s, [], classes.length),
      runs,
    });
    expect(comparison).toMatchObject({ metric: own.metric, at: "last", trials: own.trials });
    expect(comparison.metric).toMatchObject({ id: "accuracy", chance: 0.2 });
    expect(comparison.rows).toEqual([
      {
        key: "s-A/fedavg",
        label: "FedAvg",
        study: "s-A",
        studyName: "A",
        algorithm: "fedavg",
        cells: [
          { trial: 1, run: "r-A-fedavg-1", value: 0.5 },
          { trial: 2, run: "r-A-fedavg-2", value: 0.25 },
        ],
        mean: 0.375,
        // sqrt(((0.125)² + (0.125)²) / 1)
        deviation: Math.sqrt(0.03125),
        n: 2,
      },
      expect.objectContaining({ label: "FedNTD", mean: 0.5625, n: 2 }),
    ]);
    // 0.25 and 0.125 better: mean 0.1875, deviation sqrt(2 · 0.0625²)
    expect(comparison.improvements).toEqual([
      {
        key: "s-A/fedntd",
        label: "FedNTD",
        study: "s-A",
        studyName: "A",
        algorithm: "fedntd",
        against: "FedAvg",
        cells: [
          { trial: 1, value: 0.25 },
          { trial: 2, value: 0.125 },
        ],
        mean: 0.1875,
        deviation: Math.sqrt(2 * 0.0625 ** 2),
        n: 2,
      },
    ]);
    expect(comparison.notes).toEqual([...own.notes, "Two trials are too few to claim significance."]);
  });

  test("of two studies has a row per study and algorithm, each vs. the first, paired by trial", () => {
    const b = study("B", [run("B", "fedavg", 2, 0.125), run("B", "fedavg", 3, 0.5)]);
    const { comparison } = compare([pair(), b]);
    expect(comparison.trials).toEqual([1, 2, 3]);
    expect(comparison.rows.map(({ key, label }) => [key, label])).toEqual([
      ["s-A/fedavg", "FedAvg · A"],
      ["s-A/fedntd", "FedNTD · A"],
      ["s-B/fedavg", "FedAvg · B"],
    ]);
    expect(comparison.rows[2]!.cells).toEqual([
      { trial: 1, value: null, note: "no such run" },
      { trial: 2, run: "r-B-fedavg-2", value: 0.125 },
      { trial: 3, run: "r-B-fedavg-3", value: 0.5 },
    ]);
    expect(comparison.improvements[1]).toMatchObject({
      against: "FedAvg · A",
      cells: [
        { trial: 1, value: null },
        { trial: 2, value: -0.125 },
        { trial: 3, value: null },
      ],
      mean: -0.125,
      deviation: null,
      n: 1,
    });
    expect(comparison.notes.at(-1)).toBe("One trial is too few to claim significance.");
  });

  test("tells studies of one name apart by their ids", () => {
    const twins = [pair(), { ...pair(), id: "s-twin" }, pair({}, "B")];
    const labels = compare(twins).comparison.rows.map(({ label }) => label);
    expect(labels.slice(0, 3)).toEqual(["FedAvg · A (s-A)", "FedNTD · A (s-A)", "FedAvg · A (s-twin)"]);
    expect(labels[4]).toBe("FedAvg · B");
    expect(new Set(labels).size).toBe(6);
  });

  test("keeps still about significance from five trials on, and where there is nothing to compare", () => {
    const five = [1, 2, 3, 4, 5].flatMap((t) => [run("A", "fedavg", t, 0.5), run("A", "fedntd", t, 0.6)]);
    expect(compare([study("A", five)]).comparison.notes).toEqual([]);
    const alone = compare([study("A", [run("A", "fedavg", 1, 0.5)])]).comparison;
    expect(alone).toMatchObject({ notes: [], improvements: [], fairness: [], differences: [], fair: true });
  });

  test("has no chance level where classes differ, and says so", () => {
    const { comparison } = compare([pair(), pair({ classes: ["a", "b"] }, "B")]);
    expect(comparison.metric.chance).toBeNull();
    expect(comparison.notes).toContain("The studies have 5, 2 classes, so they share no chance level.");
  });

  test("is taken at the round that is asked for, never at round 0", () => {
    const at = (of: "best" | 1) => compare([pair()], of).comparison.rows[0]!.cells[0]!.value;
    expect(at("best")).toBe(0.9);
    expect(at(1)).toBe(0.9);
  });
});

describe("the metric", () => {
  const reporting = (name: string, rank10: number) =>
    study(
      name,
      pair({}, name).runs.map((r) => ({
        ...r,
        rounds: r.rounds.map((round) => ({ ...round, metrics: { ...round.metrics, rank10 } })),
      })),
    );

  test("is the first that any round knows, or the one that is asked for", () => {
    const studies = [pair(), reporting("B", 0.25)];
    const { metric, metrics } = compare(studies).comparison;
    expect([metric.id, metrics.map(({ id }) => id)]).toEqual(["accuracy", ["accuracy", "loss", "rank10"]]);
    const wanted = compare(studies, "last", "rank10").comparison;
    expect(wanted.metric).toMatchObject({ id: "rank10", chance: null });
    expect(wanted.rows.map(({ mean }) => mean)).toEqual([null, null, 0.25, 0.25]);
    expect(() => compare(studies, "last", "mAP")).toThrow(
      "there is no metric mAP; choose one of accuracy, loss, rank10",
    );
  });

  test("is as its study file describes it", () => {
    const described = settings({ metrics: { rank10: { title: "Rank-10", unit: "%" } } });
    const b = { ...reporting("B", 0.25), settings: described };
    expect(compare([b], "last", "rank10").comparison.metric).toMatchObject({ title: "Rank-10", unit: "%" });
  });

  const describing = (name: string, rank10?: Record<string, string>) => ({
    ...reporting(name, 0.25),
    settings: settings({ name, ...(rank10 === undefined ? {} : { metrics: { rank10 } }) }),
  });
  const contradictions = (studies: readonly ComparedStudy[]) =>
    compare(studies, "last", "rank10").comparison.notes.filter((note) => /describe rank10/.test(note));

  test("is as a later study describes it where the earlier ones say nothing", () => {
    const studies = [describing("A"), describing("B", { title: "Rank-10", unit: "%", better: "lower" })];
    const { metric, metrics } = compare(studies, "last", "rank10").comparison;
    expect(metric).toMatchObject({ title: "Rank-10", unit: "%", better: "lower" });
    expect(metrics.at(-1)).toEqual(metric);
    expect(contradictions(studies)).toEqual([]);
  });

  test("that two studies describe differently is as in the first, and a note says so", () => {
    const studies = [
      describing("A", { title: "Rank-10", unit: "%" }),
      describing("B", { title: "R10", better: "lower" }),
    ];
    expect(compare(studies, "last", "rank10").comparison.metric).toMatchObject({
      title: "Rank-10",
      unit: "%",
    });
    expect(contradictions(studies)).toEqual([
      "The studies describe rank10 differently: Rank-10, %, higher is better in A; R10, lower is better in B. " +
        "This table uses the first description.",
    ]);
  });

  test("may have another title or unit in a fair comparison, but not another direction", () => {
    const looks = [describing("A", { title: "Rank-10", unit: "%" }), describing("B", { better: "higher" })];
    expect(failing(looks)).toEqual([]);
    expect(failing([describing("A"), describing("B", { better: "lower" })])).toEqual([
      "settings: More than the algorithm differs: metrics.rank10.better: " +
        "higher in FedAvg · A, FedNTD · A; lower in FedAvg · B, FedNTD · B.",
    ]);
  });
});

test("a study of a version without metrics in its file has no other settings than one of this version", () => {
  const { metrics: _, ...former } = settings({ name: "B" });
  expect(failing([pair(), pair({ settings: former as Study }, "B")])).toEqual([]);
});

describe("fairness", () => {
  test("the algorithms of one study are a fair comparison, and only they differ", () => {
    const { comparison } = compare([pair()]);
    expect(comparison.fairness).toEqual([
      { about: "partition", ok: true, text: "Same partition (9f2c1234)." },
      { about: "weights", ok: true, text: "Same initial weights in each trial (trial 1: weights )." },
      { about: "seeds", ok: true, text: "Same seeds and client draws." },
      { about: "data", ok: true, text: "Same data: fashion-mnist-sample (ab12ab12)." },
      { about: "engine", ok: true, text: "Same engine (native 2.15.1)." },
      { about: "trials", ok: true, text: "Same trials (2); every row has a figure for each." },
      {
        about: "evaluation",
        ok: true,
        text: "Evaluated the same way: on the server, on the whole test set.",
      },
      { about: "settings", ok: true, text: "Only the algorithm differs: FedAvg, FedNTD." },
    ]);
    expect(comparison.fair).toBe(true);
    expect(comparison.differences).toEqual([]);
  });

  test("two studies that are the same but for their names are a fair pair", () => {
    expect(failing([pair(), pair({}, "B")])).toEqual([]);
  });

  test("a learning rate that differs is named with its path and values", () => {
    const b = pair({ settings: settings({ name: "B", optimizer: { lr: 0.1 } }) }, "B");
    expect(failing([pair(), b])).toEqual([
      "settings: More than the algorithm differs: optimizer.lr: 0.05 in FedAvg · A, FedNTD · A; 0.1 in FedAvg · B, FedNTD · B.",
    ]);
    expect(compare([pair(), b]).comparison.differences).toEqual([
      { path: "optimizer.lr", values: ["0.05", "0.05", "0.1", "0.1"] },
    ]);
  });

  test("what belongs to an algorithm concerns its rows alone, and may differ", () => {
    const b = pair({ settings: settings({ name: "B", fedntd: { beta: 3 }, fedprox: { mu: 1 } }) }, "B");
    const { comparison } = compare([pair(), b]);
    expect(comparison.differences).toEqual([{ path: "fedntd.beta", values: ["–", "1", "–", "3"] }]);
    expect(comparison.fair).toBe(true);
    expect(about(comparison.fairness, "settings").text).toBe(
      "Only the algorithm differs: FedAvg, FedNTD; fedntd.beta: 1 in FedNTD · A; 3 in FedNTD · B.",
    );
  });

  test("another partition", () => {
    expect(failing([pair(), pair({ partitionSha: "77bb00112233" }, "B")])).toEqual([
      "partition: Different partitions: 9f2c1234 in FedAvg · A, FedNTD · A; 77bb0011 in FedAvg · B, FedNTD · B.",
    ]);
  });

  test("other initial weights, in one trial of one row", () => {
    const runs = pair().runs.map((r) =>
      r.id === "r-A-fedntd-2" ? run("A", "fedntd", 2, 0.5, { weights: "deadbeef0000" }) : r,
    );
    expect(failing([study("A", runs)])).toEqual([
      "weights: Different initial weights in trial 2: weights  in FedAvg; deadbeef in FedNTD.",
    ]);
  });

  test("runs that have not started: the runs of one study will share their initial weights, those of two may not", () => {
    const waiting = { status: "waiting", rounds: [] } as const;
    const runs = [run("B", "fedavg", 1, 0.5), run("B", "fedntd", 1, 0, waiting)];
    const one = compare([study("B", runs)]).comparison;
    expect(about(one.fairness, "weights")).toEqual({
      ok: true,
      text: "Same initial weights in each trial (trial 1: weights ); one run has not started yet.",
    });
    expect(about(one.fairness, "trials")).toEqual({
      ok: false,
      text: "Different trials: FedNTD has no figure for trial 1.",
    });
    expect(failing([study("A", [run("A", "fedavg", 1, 0.5)]), study("B", runs)])[0]).toBe(
      "weights: The initial weights cannot be compared yet: one run has not started yet.",
    );
  });

  test("what stays on the devices has no weights to compare: within a study it begins alike all the same", () => {
    const federated = settings({
      algorithms: ["fedavg", "fedper"],
      evaluation: { central: false, federated: true },
    });
    const runs = (name: string) => [
      run(name, "fedavg", 1, 0.5),
      run(name, "fedper", 1, 0.6, { weights: "without the classifier" }),
    ];
    expect(failing([study("A", runs("A"), { settings: federated })])).toEqual([]);
    const avg = study("A", [runs("A")[0]!], { settings: federated });
    const per = study("B", [runs("B")[1]!], { settings: federated });
    expect(failing([avg, per])).toEqual([
      "weights: The initial weights cannot be compared: in some rows, part of the model stays on the devices.",
    ]);
  });

  test("other seeds, and other draws of clients", () => {
    const seeded = pair().runs.map((r) => ({ ...r, seed: r.seed + 5 }));
    expect(failing([pair(), study("B", seeded, { settings: settings({ name: "B", seed: 7 }) })])).toEqual([
      "seeds: Different seeds or client draws: seed of trial 1: 101 in FedAvg · A, FedNTD · A; 106 in FedAvg · B, FedNTD · B; " +
        "seed of trial 2: 102 in FedAvg · A, FedNTD · A; 107 in FedAvg · B, FedNTD · B.",
    ]);
    const half = pair({ settings: settings({ name: "B", sampling: { fraction: 0.5 } }) }, "B");
    expect(failing([pair(), half])).toEqual([
      "seeds: Different seeds or client draws: sampling.fraction: 1 in FedAvg · A, FedNTD · A; 0.5 in FedAvg · B, FedNTD · B.",
    ]);
  });

  test("another fleet, but not the same fleet in other words", () => {
    const long = { virtual: [{ count: 4, name: "virtual" }] };
    expect(failing([pair(), pair({ settings: settings({ fleet: long }) }, "B")])).toEqual([]);
    const shaky = { virtual: [{ count: 4, name: "virtual", dropOut: 0.2 }] };
    expect(failing([pair(), pair({ settings: settings({ fleet: shaky }) }, "B")])).toEqual([
      "seeds: Different seeds or client draws: fleet.virtual[0].dropOut: 0 in FedAvg · A, FedNTD · A; 0.2 in FedAvg · B, FedNTD · B.",
    ]);
  });

  test("other data, by name or by content", () => {
    const named = pair({ settings: settings({ dataset: "cifar10" }), datasetSha: "cafe00000000" }, "B");
    expect(failing([pair(), named])).toEqual([
      "data: Different data: fashion-mnist-sample (ab12ab12) in FedAvg · A, FedNTD · A; cifar10 (cafe0000) in FedAvg · B, FedNTD · B.",
    ]);
    expect(failing([pair(), pair({ datasetSha: "cafe00000000" }, "B")])).toHaveLength(1);
    // a copy under another name is the same data
    expect(failing([pair(), pair({ settings: settings({ dataset: "copy" }) }, "B")])).toEqual([]);
  });

  test("external devices: the lab cannot see their data, so it cannot tell whether two studies share it", () => {
    const abroad: Partial<ComparedStudy> = {
      settings: settings({
        dataset: "on-clients",
        fleet: { external: 4 },
        evaluation: { central: false, federated: true },
      }),
    };
    const unseen = (name: string) => {
      const { partitionSha: _, datasetSha: __, ...rest } = pair(abroad, name);
      return rest;
    };
    expect(failing([unseen("A")])).toEqual([]);
    expect(failing([unseen("A"), unseen("B")])).toEqual([
      "partition: Only external devices hold data; the lab cannot tell whether it is the same in these studies.",
      "data: The lab cannot tell whether on-clients is the same data in these studies.",
    ]);
  });

  test("another engine", () => {
    const wasm: EngineInfo = { kind: "wasm", version: "4.22.0", path: "", threads: 1 };
    const runs = pair({}, "B").runs.map((r) => ({ ...r, engine: wasm }));
    expect(failing([pair(), study("B", runs)])).toEqual([
      "engine: Different engines, which differ in the last digits: native 2.15.1 in FedAvg · A, FedNTD · A; wasm 4.22.0 in FedAvg · B, FedNTD · B.",
    ]);
    // more threads or another folder are no other engine
    const moved = pair({}, "B").runs.map((r) => ({ ...r, engine: { ...engine, path: "/b", threads: 9 } }));
    expect(failing([pair(), study("B", moved)])).toEqual([]);
  });

  test("a trial that one row lacks", () => {
    const b = study("B", [run("B", "fedavg", 1, 0.5)]);
    expect(failing([pair(), b])).toEqual(["trials: Different trials: FedAvg · B has no figure for trial 2."]);
  });

  test("another evaluation", () => {
    const both = pair({ settings: settings({ evaluation: { federated: true } }) }, "B");
    expect(failing([pair(), both])).toEqual([
      "evaluation: Evaluated differently: evaluation.federated: false in FedAvg · A, FedNTD · A; true in FedAvg · B, FedNTD · B.",
    ]);
  });

  test("a setting that only one has is 'not set' in the other, and many differences are counted", () => {
    const b = pair(
      {
        settings: settings({
          stop: { deadlineSeconds: 60 },
          rounds: 3,
          batchSize: 10,
          localEpochs: 2,
          model: "ResNet8",
        }),
      },
      "B",
    );
    const { comparison } = compare([pair(), b]);
    expect(comparison.differences).toContainEqual({
      path: "stop.deadlineSeconds",
      values: ["not set", "not set", "60", "60"],
    });
    expect(about(comparison.fairness, "settings").text).toMatch(
      /^More than the algorithm differs: model: .* and 2 more\.$/,
    );
  });
});
