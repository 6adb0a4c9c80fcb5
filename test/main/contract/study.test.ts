import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fleetSize, virtualNames } from "#contract/fleet.ts";
import { parseStudy, type StudyInput } from "#contract/study.ts";

const least: StudyInput = {
  name: "least",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  fleet: { virtual: 4 },
  rounds: 3,
  optimizer: { lr: 0.05 },
};

const problemsOf = (input: unknown) => {
  const parsed = parseStudy(input);
  return parsed.ok ? [] : parsed.problems.map((p) => p.path);
};

describe("parseStudy", () => {
  test("fills in the defaults of the least study", () => {
    const parsed = parseStudy(least);
    expect(parsed.ok && parsed.study).toMatchObject({
      task: "classification",
      partition: { kind: "iid" },
      localEpochs: 1,
      batchSize: 32,
      trials: 1,
      seed: 1,
      fedntd: { tau: 1, beta: 1, tauSquared: true },
      optimizer: { kind: "sgd", momentum: 0, weightDecay: 0, lrDecay: 1 },
      evaluation: { central: true, federated: false },
    });
  });

  test.each(["demo", "forgetting", "first-study"])("accepts examples/%s.yaml", (name) => {
    expect(problemsOf(parse(readFileSync(`examples/${name}.yaml`, "utf8")))).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ["an unknown key", { ...least, epochs: 3 }, "epochs"],
    [
      "an unknown key inside",
      { ...least, optimizer: { lr: 0.1, learningRate: 1 } },
      "optimizer.learningRate",
    ],
    ["a wrong type", { ...least, rounds: "3" }, "rounds"],
    ["a fraction of a round", { ...least, rounds: 2.5 }, "rounds"],
    ["no rounds", { ...least, rounds: 0 }, "rounds"],
    ["an unknown algorithm", { ...least, algorithms: ["fedavg", "fedsgd"] }, "algorithms[1]"],
    ["an algorithm twice", { ...least, algorithms: ["fedavg", "fedavg"] }, "algorithms[1]"],
    ["an unknown partition", { ...least, partition: { kind: "random" } }, "partition.kind"],
    ["another kind's setting", { ...least, partition: { kind: "iid", alpha: 1 } }, "partition.alpha"],
    ["a missing setting", { ...least, partition: { kind: "dirichlet" } }, "partition.alpha"],
    ["an empty fleet", { ...least, fleet: {} }, "fleet"],
    ["a missing learning rate", { ...least, optimizer: {} }, "optimizer.lr"],
    ["more drawn than there are", { ...least, sampling: { minFit: 5 } }, "sampling.minFit"],
    ["more awaited than there are", { ...least, sampling: { minAvailable: 5 } }, "sampling.minAvailable"],
    ["a target that is no target", { ...least, stop: { target: "accuracy = 1" } }, "stop.target"],
    ["Nesterov without momentum", { ...least, optimizer: { lr: 0.1, nesterov: true } }, "optimizer.nesterov"],
    ["re-identification", { ...least, task: "reid" }, "task"],
    ["data on clients that are virtual", { ...least, dataset: "on-clients" }, "dataset"],
    ["fedper with a central model", { ...least, algorithms: ["fedper"] }, "evaluation"],
    ["nothing at all", null, ""],
  ])("refuses %s and names the field", (_, input, path) => {
    expect(problemsOf(input)).toContain(path);
  });

  test("names every problem at once", () => {
    expect(problemsOf({ ...least, rounds: 0, batchSize: -1, typo: 1 }).toSorted()).toEqual([
      "batchSize",
      "rounds",
      "typo",
    ]);
  });
});

test("virtual devices are named by group", () => {
  const parsed = parseStudy({
    ...least,
    fleet: { virtual: [{ count: 2 }, { count: 1, name: "slow", slowness: 3 }], external: 2 },
  });
  expect(parsed.ok && virtualNames(parsed.study.fleet)).toEqual(["virtual-1", "virtual-2", "slow-1"]);
  expect(parsed.ok && fleetSize(parsed.study.fleet)).toBe(5);
});
