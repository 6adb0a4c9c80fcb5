import { describe, expect, test, vi } from "vitest";
import type { Failure, Result } from "#contract/failure.ts";
import type { Recipe } from "#contract/jobs.ts";
import { parseStudy, type Study, type StudyInput } from "#contract/study.ts";
import { float32Tensor, type NamedTensor, type Tensor, toFloat32Array } from "#contract/tensor.ts";
import { algorithmOf } from "#main/federation/algorithms.ts";
import { conductRun } from "#main/runs/conduct-run.ts";
import type { RunPlan } from "#main/runs/run-plan.ts";
import { createUserRequest } from "#main/runs/user-request.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { ClientMessage, ReceivedServerMessage } from "#main/wire/protocol.ts";
import {
  type Behaviour,
  control,
  counter,
  type FakeLab,
  fakeClients,
  fakeLab,
  fakeModel,
  OK,
} from "#test/fakes/lab.ts";

const study = (changes: Partial<StudyInput> = {}): Study => {
  const parsed = parseStudy({
    name: "t",
    dataset: "on-clients",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { external: 3 },
    rounds: 3,
    optimizer: { lr: 0.1, lrDecay: 0.5 },
    evaluation: { central: false },
    ...changes,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};

const plan = (changes: Partial<StudyInput> = {}, roster = ["a", "b", "c"]): RunPlan => {
  const s = study(changes);
  const name = s.algorithms[0]!;
  return {
    study: s,
    run: { id: "r", algorithm: name, trial: 1, seed: 7 },
    algorithm: algorithmOf(name, s),
    model: fakeModel,
    roster,
    hosted: s.fleet.virtual === undefined ? [] : roster,
  };
};

const answerFit = (parameters: readonly Tensor[], examples = 1): Result<ClientMessage> => ({
  ok: true,
  value: { kind: "fit", status: OK, parameters, examples, metrics: { loss: 0.5 } },
});

const recipeOf = (message: ReceivedServerMessage | OutgoingMessage): Recipe => {
  if (message.kind !== "fit") throw new Error(message.kind);
  const entry = message.config.fedfleet;
  return JSON.parse(
    typeof entry === "object" && "value" in entry ? String(entry.value) : String(entry),
  ) as Recipe;
};

/** Adds `step` to every weight it was sent: an honest little training. */
const trained = (message: ReceivedServerMessage, step: number): readonly Tensor[] => {
  if (message.kind !== "fit") throw new Error(message.kind);
  return message.parameters.map((t) =>
    t.dtype === "int64"
      ? counter(5n)
      : float32Tensor(
          t.shape,
          toFloat32Array(t).map((x) => x + step),
        ),
  );
};

const steps: Readonly<Record<string, number>> = { a: 1, b: 2, c: 3 };
const honest: Behaviour = async (device, message) => answerFit(trained(message, steps[device] ?? 0));
const failure = (code: Failure["code"], cause: string): Result<ClientMessage> => ({
  ok: false,
  failure: { code, stage: "fit", cause },
});
const later = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms));
const body = (tensors: readonly NamedTensor[]) => [
  ...toFloat32Array(tensors.find((t) => t.name === "body.weight")!),
];

describe("conductRun", () => {
  test("averages by examples, round by round, and keeps integer buffers integers", async () => {
    const clients = fakeClients(["a", "b", "c"], async (device, message) =>
      answerFit(trained(message, steps[device]!), device === "c" ? 2 : 1),
    );
    const lab = fakeLab(clients);
    expect(await conductRun(plan({ rounds: 2 }), lab, control())).toMatchObject({ status: "done" });
    // (1 + 2 + 2·3) / 4 = 2.25 a round
    expect(body(lab.files.get("r/1")!)).toEqual([3.25, 1.25]);
    expect(body(lab.files.get("r/2")!)).toEqual([5.5, 3.5]);
    expect(lab.files.get("r/2")!.find((t) => t.dtype === "int64")).toMatchObject({
      shape: [],
      dtype: "int64",
    });
    expect(lab.recorded.get("r")!.map((r) => [r.round, r.clients.length, r.examples])).toEqual([
      [0, 0, 0],
      [1, 3, 4],
      [2, 3, 4],
    ]);
    expect(clients.held.size).toBe(0);
  });

  test("the instruction carries the recipe, and the original keys with their types", async () => {
    const clients = fakeClients(["a", "b", "c"], honest);
    await conductRun(plan({ rounds: 2, localEpochs: 4, batchSize: 16 }), fakeLab(clients), control());
    const [first, second] = clients.asked.get("a")!;
    expect(first).toMatchObject({
      config: {
        epochs: { kind: "int", value: 4 },
        lr: { kind: "double", value: 0.1 },
        batch_size: { kind: "int", value: 16 },
        optimizer: { kind: "string", value: "SGD" },
        num_workers: { kind: "int", value: 0 },
        pin_memory: { kind: "bool", value: false },
        epoch_global: { kind: "int", value: 1 },
      },
    });
    expect(second).toMatchObject({ config: { lr: { value: 0.05 }, epoch_global: { value: 2 } } });
    expect(recipeOf(first!).seed).not.toBe(recipeOf(second!).seed);
    expect(recipeOf(first!).seed).not.toBe(recipeOf(clients.asked.get("b")![0]!).seed);
  });

  test("a refused update and a lost client cost one failure each; the run goes on without them", async () => {
    const clients = fakeClients(["a", "b", "c"], async (device, message) => {
      if (recipeOf(message).round !== 1) return honest(device, message);
      if (device === "b") return failure("connection-lost", "the connection was lost");
      if (device === "c") return answerFit(trained(message, Number.NaN));
      return honest(device, message);
    });
    const lab = fakeLab(clients);
    expect(await conductRun(plan({ rounds: 2 }), lab, control())).toMatchObject({ status: "done" });
    const [, one, two] = lab.recorded.get("r")!;
    expect(one!.clients).toEqual(["a"]);
    expect(one!.failures.map((f) => [f.device, f.code])).toEqual([
      ["b", "connection-lost"],
      ["c", "not-finite"],
    ]);
    expect(one!.updates.map((u) => [u.device, u.status])).toEqual([
      ["a", "folded"],
      ["b", "failed"],
      ["c", "refused"],
    ]);
    expect(two!.clients).toEqual(["a", "b", "c"]);
    expect(body(lab.files.get("r/1")!)).toEqual([2, 0]);
    expect(clients.held.size).toBe(0);
  });

  test.each<[string, (m: ReceivedServerMessage) => Result<ClientMessage>, Failure["code"]]>([
    ["no examples", (m) => answerFit(trained(m, 1), 0), "no-examples"],
    ["negative examples", (m) => answerFit(trained(m, 1), -3), "no-examples"],
    ["a tensor too few", (m) => answerFit(trained(m, 1).slice(1)), "count-mismatch"],
    [
      "another shape",
      (m) => answerFit([float32Tensor([3], new Float32Array(3)), ...trained(m, 1).slice(1)]),
      "shape-mismatch",
    ],
    [
      "another dtype",
      (m) =>
        answerFit([{ dtype: "float64", shape: [2], bytes: new Uint8Array(16) }, ...trained(m, 1).slice(1)]),
      "dtype-mismatch",
    ],
    ["infinity", (m) => answerFit(trained(m, Number.POSITIVE_INFINITY)), "not-finite"],
    [
      "a status that is not OK",
      () => ({
        ok: true,
        value: {
          kind: "fit",
          status: { code: 3, message: "out of memory" },
          parameters: [],
          examples: 0,
          metrics: {},
        },
      }),
      "client-error",
    ],
    [
      "the wrong kind of answer",
      () => ({ ok: true, value: { kind: "disconnect", reason: 0 } }),
      "protocol-broken",
    ],
  ])("refuses an update with %s", async (_, answer, code) => {
    const clients = fakeClients(["a", "b", "c"], async (d, m) => (d === "b" ? answer(m) : honest(d, m)));
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 1 }), lab, control());
    const round = lab.recorded.get("r")![1]!;
    expect(round.failures).toMatchObject([{ device: "b", code }]);
    expect(round.clients).toEqual(["a", "c"]);
    expect(body(lab.files.get("r/1")!)).toEqual([3, 1]);
  });

  test("k of n: the straggler is left alone, its late update is dropped and noted, and it comes back", async () => {
    const clients = fakeClients(["a", "b", "c"], async (device, message) => {
      const round = recipeOf(message).round;
      return device === "c" && round === 1
        ? later(150, answerFit(trained(message, 100)))
        : later(round === 2 ? 200 : 0, answerFit(trained(message, 1)));
    });
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 3, stop: { minUpdates: 2, graceSeconds: 0.02 } }), lab, control());
    const [, one, , three] = lab.recorded.get("r")!;
    expect(one!.clients).toEqual(["a", "b"]);
    expect(one!.failures).toMatchObject([{ device: "c", code: "deadline" }]);
    expect(one!.updates.find((u) => u.device === "c")).toMatchObject({ status: "late" });
    // it came while round 2 was open: an event of round 1, no part of any sum
    expect(
      lab.events.filter((e) => e.kind === "client-update" && e.update.failure?.code === "late"),
    ).toMatchObject([{ round: 1, update: { device: "c" } }]);
    expect(three!.clients).toContain("c");
    expect(body(lab.files.get("r/3")!)[0]).toBeLessThan(10);
    expect(clients.held.size).toBe(0);
  });

  test("a deadline closes the round with what is there", async () => {
    const clients = fakeClients(["a", "b", "c"], async (d, m) =>
      d === "a" ? honest(d, m) : later(400, answerFit(trained(m, 1))),
    );
    const lab = fakeLab(clients);
    const started = performance.now();
    await conductRun(plan({ rounds: 1, stop: { deadlineSeconds: 0.1 } }), lab, control());
    expect(performance.now() - started).toBeLessThan(350);
    expect(lab.recorded.get("r")![1]).toMatchObject({
      clients: ["a"],
      failures: [{ device: "b" }, { device: "c" }],
    });
  });

  test("three rounds without a usable update end the run as failed, with the cause", async () => {
    const clients = fakeClients(["a", "b", "c"], async () => failure("client-error", "CUDA out of memory"));
    const lab = fakeLab(clients);
    const outcome = await conductRun(plan({ rounds: 9 }), lab, control());
    expect(outcome.status).toBe("failed");
    expect(outcome.reason).toContain("a: CUDA out of memory");
    expect(lab.recorded.get("r")).toHaveLength(4);
    // the weights stayed what they were
    expect(new Set(lab.recorded.get("r")!.map((r) => r.weightsSha256)).size).toBe(1);
  });

  test("waits for the fleet and says for whom", async () => {
    const clients = fakeClients(["a"], honest);
    const lab = fakeLab(clients);
    const running = conductRun(plan({ rounds: 1 }), lab, control());
    await later(2300, undefined);
    expect(lab.events.find((e) => e.kind === "waiting")).toMatchObject({
      stage: "joining",
      for: "b, c to connect (1 of 3)",
    });
    clients.join("b");
    clients.join("c");
    expect(await running).toMatchObject({ status: "done" });
    expect(lab.recorded.get("r")![1]!.clients).toEqual(["a", "b", "c"]);
  });

  test("goes on without those who do not come, when a person would rather, and waits for them again", async () => {
    const clients = fakeClients(["a"], honest);
    const lab = fakeLab(clients);
    const startWithout = createUserRequest();
    const running = conductRun(plan({ rounds: 2 }), lab, { ...control(), startWithout });
    await later(100, undefined);
    expect(lab.events.filter(({ kind }) => kind === "round-started")).toEqual([]);
    startWithout.make();
    await vi.waitFor(() => expect(lab.recorded.get("r")).toHaveLength(2), { timeout: 5000 });
    expect(startWithout.isMade).toBe(false);
    await later(100, undefined);
    expect(lab.recorded.get("r")).toHaveLength(2);
    clients.join("b");
    clients.join("c");
    expect(await running).toMatchObject({ status: "done" });
    expect(lab.recorded.get("r")!.map((r) => r.clients)).toEqual([[], ["a"], ["a", "b", "c"]]);
  });

  test("nobody is drawn before all that this computer hosts are there, however few are waited for", async () => {
    const roster = ["a", "b", "c", "d"];
    const changes: Partial<StudyInput> = {
      rounds: 1,
      fleet: { virtual: 4 },
      dataset: "x",
      sampling: { fraction: 0.5, minAvailable: 1 },
    };
    const clients = fakeClients(["d"], honest);
    const lab = fakeLab(clients);
    const running = conductRun(plan(changes, roster), lab, control());
    for (const name of ["b", "a", "c"]) {
      await later(20, undefined);
      clients.join(name);
    }
    await running;
    const ready = fakeLab(fakeClients(roster, honest));
    await conductRun(plan(changes, roster), ready, control());
    expect(lab.recorded.get("r")![1]!.drawn).toEqual(ready.recorded.get("r")![1]!.drawn);
  });

  test("what a device tells of its training is progress of the round in hand, and of no other", async () => {
    const clients = fakeClients(["a", "b", "c"], async (device, message) => {
      const { round } = recipeOf(message);
      clients.tell({ device, run: "r", round, fraction: 0.5 });
      clients.tell({ device, run: "r", round: round - 1, fraction: 1 });
      clients.tell({ device, run: "another", round, fraction: 1 });
      return honest(device, message);
    });
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 2 }), lab, control());
    clients.tell({ device: "a", run: "r", round: 2, fraction: 1 });
    const told = lab.events.flatMap((e) =>
      e.kind === "client-progress" && e.phase === "training" ? [[e.device, e.round, e.fraction]] : [],
    );
    expect(told.sort()).toEqual(
      ["a", "b", "c"].flatMap((device) => [1, 2].map((round) => [device, round, 0.5])),
    );
  });

  test("strangers are not drawn", async () => {
    const clients = fakeClients(["a", "b", "c", "stranger"], honest);
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 1 }), lab, control());
    expect(clients.asked.has("stranger")).toBe(false);
  });

  test("draws are those of the seed, whatever the algorithm", async () => {
    const roster = ["a", "b", "c", "d", "e", "f"];
    const draws = async (algorithm: "fedavg" | "fedprox") => {
      const lab = fakeLab(fakeClients(roster, honest));
      const changes: Partial<StudyInput> = {
        rounds: 8,
        algorithms: [algorithm],
        fleet: { external: 6 },
        sampling: { fraction: 0.5 },
      };
      await conductRun(plan(changes, roster), lab, control());
      return lab.recorded.get("r")!.map((r) => r.drawn.join());
    };
    const drawn = await draws("fedavg");
    expect(drawn.slice(1).every((d) => d.length === 5)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(3);
    expect(await draws("fedprox")).toEqual(drawn);
  });

  test("a target and patience end a run early, and the reason says so", async () => {
    const clients = () => fakeClients(["a", "b", "c"], honest);
    let calls = 0;
    const rising = {
      ...fakeLab(clients()),
      evaluate: async () => ({ metrics: { loss: 1, accuracy: calls++ / 10 }, examples: 1, perClass: [] }),
    };
    const hit = await conductRun(plan({ rounds: 9, stop: { target: "accuracy >= 0.2" } }), rising, control());
    expect(hit).toMatchObject({ status: "done" });
    expect(hit.reason).toContain("accuracy");
    expect(rising.recorded.get("r")).toHaveLength(3);
    const flat = {
      ...fakeLab(clients()),
      evaluate: async () => ({ metrics: { loss: 1, accuracy: 0.5 }, examples: 1, perClass: [] }),
    };
    await conductRun(plan({ rounds: 9, stop: { patience: 2 } }), flat, control());
    expect(flat.recorded.get("r")!.length).toBeLessThan(9);
  });
});

describe("stopping and resuming", () => {
  test.each(["fedavg", "fedadam", "fedper"] as const)(
    "%s interrupted after any round and resumed ends on the same weights",
    async (algorithm) => {
      const changes: Partial<StudyInput> = {
        rounds: 4,
        algorithms: [algorithm],
        fleet: { virtual: 3 },
        dataset: "x",
        evaluation: { central: false, federated: algorithm === "fedper" },
      };
      const parametersSent = new Map<string, number>();
      const behave: Behaviour = async (device, message) => {
        if (message.kind === "fit") parametersSent.set(device, message.parameters.length);
        return message.kind === "evaluate"
          ? {
              ok: true,
              value: { kind: "evaluate", status: OK, loss: 1, examples: 2, metrics: { accuracy: 0.5 } },
            }
          : honest(device, message);
      };
      const whole = fakeLab(fakeClients(["a", "b", "c"], behave));
      await conductRun(plan(changes), whole, control());
      for (const stopAt of [1, 2, 3]) {
        const c = control();
        const clients = fakeClients(["a", "b", "c"], async (d, m) => {
          if (m.kind === "fit" && recipeOf(m).round === stopAt) c.stopAfterRound();
          return behave(d, m);
        });
        const part = fakeLab(clients);
        expect(await conductRun(plan(changes), part, c)).toMatchObject({ status: "interrupted" });
        expect(part.recorded.get("r")).toHaveLength(stopAt + 1);
        const again = fakeClients(["a", "b", "c"], behave);
        const rest = fakeLab(again, part);
        expect(await conductRun(plan(changes), rest, control())).toMatchObject({ status: "done" });
        expect(rest.recorded.get("r")!.map((r) => r.weightsSha256)).toEqual(
          whole.recorded.get("r")!.map((r) => r.weightsSha256),
        );
        if (algorithm === "fedper") {
          // the classifier stays at home, and the recipe says of which round it is
          const sent = again.asked.get("a")![0]!;
          expect(recipeOf(sent)).toMatchObject({ keeps: ["head.weight", "head.bias"], keptFrom: stopAt });
          expect(parametersSent.get("a")).toBe(2);
        }
      }
    },
  );

  test("rounds without a usable update count on over a stop", async () => {
    const c = control();
    const clients = () => fakeClients(["a", "b", "c"], async () => failure("client-error", "out of memory"));
    const part = fakeLab(clients());
    const stopping: typeof part = {
      ...part,
      recordRound: (run, result, path) => {
        if (result.round === 2) c.stopAfterRound();
        return part.recordRound(run, result, path);
      },
    };
    expect(await conductRun(plan({ rounds: 9 }), stopping, c)).toMatchObject({ status: "interrupted" });
    const rest = fakeLab(clients(), part);
    expect(await conductRun(plan({ rounds: 9 }), rest, control())).toMatchObject({ status: "failed" });
    expect(rest.recorded.get("r")).toHaveLength(4);
  });

  test("an answer that fails after the study was stopped at once is nobody's news", async () => {
    const c = control();
    const clients = fakeClients(["a", "b", "c"], async () => {
      setTimeout(() => c.abort(new Error("now")), 10);
      return later(60, failure("connection-lost", "gone"));
    });
    const lab = fakeLab(clients);
    await expect(conductRun(plan(), lab, c)).rejects.toThrow("now");
    const before = lab.events.length;
    await later(100, undefined);
    expect(lab.events).toHaveLength(before);
  });

  test("stopping at once records nothing of the round in progress", async () => {
    const c = control();
    const clients = fakeClients(["a", "b", "c"], async (d, m) => {
      if (recipeOf(m).round === 2) {
        setTimeout(() => c.abort(new Error("now")), 20);
        return later(5000, answerFit(trained(m, 1)));
      }
      return honest(d, m);
    });
    const lab = fakeLab(clients);
    await expect(conductRun(plan(), lab, c)).rejects.toThrow("now");
    expect(lab.recorded.get("r")!.map((r) => r.round)).toEqual([0, 1]);
  });
});

test("federated evaluation is the examples-weighted mean in the order of names", async () => {
  const clients = fakeClients(["a", "b", "c"], async (device, message) =>
    message.kind === "evaluate"
      ? {
          ok: true,
          value: {
            kind: "evaluate",
            status: OK,
            loss: steps[device]!,
            examples: steps[device]!,
            metrics: { accuracy: device === "c" ? 1 : 0 },
          },
        }
      : honest(device, message),
  );
  const lab = fakeLab(clients);
  await conductRun(plan({ rounds: 1, evaluation: { central: false, federated: true } }), lab, control());
  expect(lab.recorded.get("r")![1]).toMatchObject({
    metrics: { loss: (1 + 4 + 9) / 6, accuracy: 0.5 },
    federated: { metrics: { loss: (1 + 4 + 9) / 6, accuracy: 0.5 }, examples: 6 },
    evaluations: [{ device: "a" }, { device: "b" }, { device: "c" }],
  });
});

test("a round's record has what the server's step notes", async () => {
  const lab = fakeLab(fakeClients(["a", "b", "c"], honest));
  await conductRun(plan({ rounds: 2, algorithms: ["fedexp"] }), lab, control());
  const [initial, ...rounds] = lab.recorded.get("r")!;
  expect(initial).not.toHaveProperty("notes");
  for (const { notes } of rounds) expect(notes!.serverStep).toBeGreaterThanOrEqual(1);

  const plain = fakeLab(fakeClients(["a", "b", "c"], honest));
  await conductRun(plan({ rounds: 1 }), plain, control());
  expect(plain.recorded.get("r")![1]).not.toHaveProperty("notes");
});

describe("metrics that clients report", () => {
  const evaluation = { central: false, federated: true };
  type Reported = Extract<ClientMessage, { kind: "evaluate" }>["metrics"];
  const reporting =
    (told: (device: string, round: number) => Reported): Behaviour =>
    async (device, message) => {
      if (message.kind !== "evaluate") return honest(device, message);
      const round = Number(message.config.server_round);
      const examples = steps[device]!;
      const metrics = told(device, round);
      return { ok: true, value: { kind: "evaluate", status: OK, loss: 1, examples, metrics } };
    };

  test("are recorded by name; what is no metric is told once per run, not every round", async () => {
    const clients = fakeClients(
      ["a", "b", "c"],
      reporting((device) => (device === "a" ? { rank10: 0.4, note: "x", nan: Number.NaN } : {})),
    );
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 3, evaluation }), lab, control());
    const rounds = lab.recorded.get("r")!.slice(1);
    expect(rounds.map(({ metrics }) => metrics)).toEqual(
      Array(3).fill({ accuracy: null, loss: 1, rank10: 0.4 }),
    );
    expect(rounds[0]!.evaluations.map(({ device, metrics }) => [device, metrics])).toEqual([
      ["a", { loss: 1, rank10: 0.4 }],
      ["b", { loss: 1 }],
      ["c", { loss: 1 }],
    ]);
    expect(lab.events.filter(({ kind }) => kind === "metric-refused")).toEqual([
      {
        kind: "metric-refused",
        run: "r",
        round: 1,
        device: "a",
        name: "note",
        cause: "it is text, not a number",
      },
      {
        kind: "metric-refused",
        run: "r",
        round: 1,
        device: "a",
        name: "nan",
        cause: "it is NaN, not a finite number",
      },
    ]);
    expect(rounds.every(({ failures }) => failures.length === 0)).toBe(true);
  });

  test("are told of in the round in which they first come, for each device", async () => {
    const clients = fakeClients(
      ["a", "b", "c"],
      reporting((device, round) => (device === "c" || round < 2 ? {} : { note: "x" })),
    );
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 3, evaluation }), lab, control());
    expect(
      lab.events.flatMap((e) => (e.kind === "metric-refused" ? [[e.round, e.device, e.name]] : [])),
    ).toEqual([
      [2, "a", "note"],
      [2, "b", "note"],
    ]);
  });

  test("are means over those who report them, weighted by their examples", async () => {
    const clients = fakeClients(
      ["a", "b", "c"],
      reporting((device): Reported => {
        const accuracy = device === "a" ? {} : { accuracy: 0.5 };
        return device === "b" ? accuracy : { ...accuracy, rank10: device === "c" ? 0.75 : 0.25 };
      }),
    );
    const lab = fakeLab(clients);
    await conductRun(plan({ rounds: 1, evaluation }), lab, control());
    const [, round] = lab.recorded.get("r")!;
    // a with 1 example and c with 3; of the accuracy, which a does not tell, there is no mean
    const metrics = { accuracy: null, loss: 1, rank10: (0.25 + 3 * 0.75) / 4 };
    expect(round).toMatchObject({ metrics, federated: { metrics, examples: 6 } });
  });

  test("stand beside the server's own figures, whatever they are called", async () => {
    const clients = fakeClients(
      ["a", "b", "c"],
      reporting(() => ({ accuracy: 0.25, constructor: 0.5 })),
    );
    const central = { metrics: { accuracy: 0.75, loss: 2 }, examples: 100 };
    const lab = { ...fakeLab(clients), evaluate: async () => central };
    await conductRun(plan({ rounds: 1, evaluation }), lab, control());
    const [, round] = lab.recorded.get("r")!;
    expect(Object.entries(round!.metrics)).toEqual([
      ["accuracy", 0.75],
      ["loss", 2],
      ["constructor", 0.5],
    ]);
    expect(round).toMatchObject({ central, federated: { metrics: { accuracy: 0.25, loss: 1 } } });
  });

  test("are at most 32 per run, whoever answers first, and each further one is refused once", async () => {
    const perDevice = 20;
    const names = (device: string) => Array.from({ length: perDevice }, (_, i) => `${device}-${10 + i}`);
    const kept = [...names("a"), ...names("b").slice(0, 12)];
    const conduct = async (order: readonly string[], rounds = 2, before?: FakeLab, silent = "") => {
      const clients = fakeClients(["a", "b", "c"], async (device, message) => {
        if (message.kind !== "evaluate") return honest(device, message);
        for (let turn = order.indexOf(device); turn > 0; turn -= 1) await Promise.resolve();
        const told = device === silent ? [] : names(device);
        const metrics = Object.fromEntries(told.map((name) => [name, 0.5]));
        return { ok: true, value: { kind: "evaluate", status: OK, loss: 1, examples: 1, metrics } };
      });
      const lab = fakeLab(clients, before);
      await conductRun(plan({ rounds, evaluation }), lab, control());
      const refused = lab.events.flatMap((e) => (e.kind === "metric-refused" ? [e] : []));
      return { lab, rounds: lab.recorded.get("r")!.slice(1), refused };
    };

    const forwards = await conduct(["a", "b", "c"]);
    const backwards = await conduct(["c", "b", "a"]);
    for (const { rounds, refused } of [forwards, backwards]) {
      for (const { metrics } of rounds) {
        expect(Object.keys(metrics)).toEqual(["accuracy", "loss", ...kept]);
      }
      expect(refused.map(({ round, name }) => [round, name])).toEqual(
        [...names("b").slice(12), ...names("c")].map((name) => [1, name]),
      );
      expect(refused[0]!.cause).toBe("the clients of a run together may report at most 32 metrics");
    }

    const first = await conduct(["a", "b", "c"], 1);
    const resumed = await conduct(["a", "b", "c"], 2, first.lab, "a");
    expect(Object.keys(resumed.rounds[1]!.metrics)).toEqual(["accuracy", "loss", ...names("b").slice(0, 12)]);
  });

  test("can be the target of a run", async () => {
    const changes: Partial<StudyInput> = { rounds: 9, evaluation, stop: { target: "rank10 >= 0.4" } };
    const lab = fakeLab(
      fakeClients(
        ["a", "b", "c"],
        reporting((_, round) => ({ rank10: round / 10 })),
      ),
    );
    const outcome = await conductRun(plan(changes), lab, control());
    expect(outcome).toEqual({ status: "done", reason: "rank10 0.4 meets the target rank10 >= 0.4" });
    expect(lab.recorded.get("r")!.at(-1)!.round).toBe(4);
  });
});
