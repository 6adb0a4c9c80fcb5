import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "#contract/dataset.ts";
import type { LossSettings, Recipe } from "#contract/jobs.ts";
import type { NamedTensor, Tensor } from "#contract/tensor.ts";
import { toFloat32Array } from "#contract/tensor.ts";
import { type Aggregator, createAggregator, type Session } from "#main/aggregator/aggregator.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { folderPart, type PartFiles, writePart } from "#main/datasets/part-files.ts";
import {
  changed,
  type FitAnswer,
  type FleetLab,
  firstWeights,
  openFleetLab,
  parameterNames,
  SAMPLE,
  sha256Of,
} from "#test/main/virtual-devices/virtual-lab.ts";
import { pythonOf } from "#test/setup/flwr.ts";
import { documentOf, scratchFolder, startFedfleet, writeStudy } from "./command.ts";
import { type PythonClient, startPythonClient } from "./python-client.ts";

/**
 * The Python client (PyTorch, flwr) and a virtual device (tfjs) get the same weights, recipe and data through the same
 * protocol: their updates are compared tensor by tensor.
 */

const installed = existsSync(pythonOf("1.11.1"));
const SAMPLES = Array.from({ length: 50 }, (_, i) => i);
const TEST_SAMPLES = SAMPLES.slice(0, 10);
const CLOSE = 1e-4;
const NTD: LossSettings = { kind: "ntd", tau: 2, beta: 1, tauSquared: true };
const LOSSES: Readonly<Record<string, LossSettings>> = {
  "cross-entropy": { kind: "ce" },
  FedProx: { kind: "prox", mu: 0.5 },
  FedNTD: NTD,
};

const elements = (tensor: Tensor): number[] =>
  tensor.dtype === "int64"
    ? [...new BigInt64Array(tensor.bytes.slice().buffer)].map(Number)
    : [...toFloat32Array(tensor)];

/** The largest difference between two lists of tensors; their shapes and element types must be the same. */
const apart = (a: readonly Tensor[], b: readonly Tensor[]): number => {
  expect(a.map((t) => [t.dtype, t.shape])).toEqual(b.map((t) => [t.dtype, t.shape]));
  let worst = 0;
  a.forEach((tensor, i) => {
    const other = elements(b[i]!);
    elements(tensor).forEach((value, e) => {
      worst = Math.max(worst, Math.abs(value - other[e]!));
    });
  });
  return worst;
};

let scratch: ReturnType<typeof scratchFolder>;
let dataset: Dataset;
let lab: FleetLab;
let server: Aggregator;
let port: number;
let virtual: Session;
let python: Session;
/** The same data, which it takes out of the data set itself. */
let pythonOfFolder: Session;
const clients: PythonClient[] = [];

const joinServer = async (name: string, args: readonly string[]): Promise<Session> => {
  const count = server.sessions().length;
  const client = startPythonClient([
    "--server-address",
    `127.0.0.1:${port}`,
    "--cid",
    name,
    "--state-dir",
    join(scratch.path, name),
    "--threads",
    "1",
    ...args,
  ]);
  clients.push(client);
  let over = false;
  void client.ended.then(({ code, stderr }) => {
    over = true;
    if (code !== 0) console.error(`the client ended with ${code}: ${stderr}`);
  });
  while (server.sessions().length === count) {
    if (over) throw new Error("the client ended before it had joined");
    await Promise.race([changed(server), client.ended]);
  }
  return server.sessions().at(-1)!;
};

const fitted = async (
  session: Session,
  recipe: Recipe,
  weights: readonly NamedTensor[],
): Promise<FitAnswer> => {
  const answer = await lab.fit(session, recipe, weights);
  if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  return answer.value;
};

/** Both train from the same weights by the same recipe. */
const both = async (recipe: Recipe, weights: readonly NamedTensor[]) => {
  const [torch, tfjs] = await Promise.all([
    fitted(python, recipe, weights),
    fitted(virtual, recipe, weights),
  ]);
  expect(torch.examples).toBe(tfjs.examples);
  expect(Object.keys(torch.metrics).sort()).toEqual(Object.keys(tfjs.metrics).sort());
  expect(torch.metrics.loss).toBeCloseTo(tfjs.metrics.loss as number, 4);
  expect(torch.metrics.accuracy).toBeCloseTo(tfjs.metrics.accuracy as number, 6);
  return { torch, tfjs, apart: apart(torch.parameters, tfjs.parameters) };
};

const recipe = (more: Partial<Recipe>): Recipe => lab.recipe(1, "virtual-1", { batchSize: 50, ...more });

describe.skipIf(!installed && process.env.CI !== "true")(
  `PyTorch on a device and tfjs in the lab${installed ? "" : " (flwr 1.11.1 is missing; run test/setup/install.sh)"}`,
  () => {
    beforeAll(async () => {
      scratch = scratchFolder();
      dataset = await loadDataset(SAMPLE);
      lab = await openFleetLab({ devices: 1, workers: 1, samples: SAMPLES.length });
      server = createAggregator({ emit: () => {}, admission: { kind: "open" } });
      port = (await server.listen({ host: "127.0.0.1", port: 0 })).port;
      const samples = { train: SAMPLES, test: TEST_SAMPLES };
      const partFile = (name: string, { json }: PartFiles): string => {
        const path = join(scratch.path, `${name}.json`);
        writeFileSync(path, json);
        return path;
      };
      const arrays = partFile("arrays", await writePart(dataset, samples, join(scratch.path, "data")));
      const numbers = partFile("numbers", folderPart(dataset, samples));
      const started = lab.start();
      python = await joinServer("pi-1", ["--data-dir", join(scratch.path, "data"), "--part", arrays]);
      pythonOfFolder = await joinServer("pi-2", ["--data-dir", SAMPLE.path, "--part", numbers]);
      await started;
      virtual = (await lab.joined(1))[0]!;
    });
    afterAll(async () => {
      await server?.close();
      await lab?.close();
      for (const client of clients) client.child.kill("SIGKILL");
      scratch?.remove();
    });

    test.each(Object.entries(LOSSES))("one step of %s gives the same update to 1e-4", async (name, loss) => {
      const weights = firstWeights();
      const one = await both(recipe({ loss }), weights);
      console.log(`Net, ${name}, 1 step: ${one.apart.toExponential(1)} apart`);
      expect(one.apart).toBeLessThan(CLOSE);
      // The update is a thousand times as large as that.
      expect(apart(one.torch.parameters, weights)).toBeGreaterThan(1e-3);
    });

    test.each(Object.entries(LOSSES))("15 steps of %s, shuffled again in each epoch", async (name, loss) => {
      const more = { loss, localEpochs: 3, batchSize: 12, seed: 4_000_000_000 };
      const many = await both(recipe(more), firstWeights());
      console.log(`Net, ${name}, 15 steps: ${many.apart.toExponential(1)} apart`);
      expect(many.apart).toBeLessThan(CLOSE);
      if (loss.kind === "ce") return;
      // FedProx and FedNTD begin like cross-entropy; only later steps show their terms.
      const plain = await fitted(python, recipe({ ...more, loss: { kind: "ce" } }), firstWeights());
      expect(apart(plain.parameters, many.torch.parameters)).toBeGreaterThan(10 * CLOSE);
    });

    test.each(["Net", "ResNet8"] as const)(
      "a normalised feature: %s, with and without a teacher",
      async (model) => {
        const feature = { kind: "l2-normalised" } as const;
        const optimizer = { kind: "sgd", lr: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
        const more = { model, optimizer, batchSize: model === "Net" ? 12 : 50 };
        const weights = firstWeights(model);
        for (const loss of [{ kind: "ce" } as const, NTD]) {
          const one = await both(recipe({ ...more, loss, feature }), weights);
          console.log(`${model}, normalised, ${loss.kind}: ${one.apart.toExponential(1)} apart`);
          expect(one.apart).toBeLessThan(CLOSE);
          const plain = await fitted(python, recipe({ ...more, loss }), weights);
          expect(apart(plain.parameters, one.torch.parameters)).toBeGreaterThan(10 * CLOSE);
        }
      },
    );

    test.each([
      ["adam", { kind: "adam", lr: 0.001, momentum: 0, nesterov: false, weightDecay: 0.01 }],
      ["rmsprop", { kind: "rmsprop", lr: 0.0005, momentum: 0.5, nesterov: false, weightDecay: 0 }],
      ["Nesterov momentum", { kind: "sgd", lr: 0.02, momentum: 0.9, nesterov: true, weightDecay: 0.001 }],
    ] as const)("two steps of %s", async (name, optimizer) => {
      const two = await both(recipe({ optimizer, batchSize: 25 }), firstWeights());
      console.log(`Net, ${name}, 2 steps: ${two.apart.toExponential(1)} apart`);
      expect(two.apart).toBeLessThan(CLOSE);
    });

    test("one step of ResNet8, batch normalisation's statistics and counters included", async () => {
      const weights = firstWeights("ResNet8");
      // TensorFlow sums a channel's 51,200 values in float32, which shows in the fifth digit of its mean.
      const optimizer = { kind: "sgd", lr: 0.02, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
      for (const [name, loss] of Object.entries(LOSSES)) {
        const one = await both(recipe({ model: "ResNet8", loss, optimizer }), weights);
        console.log(`ResNet8, ${name}, 1 step: ${one.apart.toExponential(1)} apart`);
        expect(one.apart).toBeLessThan(CLOSE);
        const counter = parameterNames("ResNet8").indexOf("bn1.num_batches_tracked");
        expect(elements(one.torch.parameters[counter]!)).toEqual([1]);
      }
    });

    test("what stays on the device starts and continues as in the lab", async () => {
      const keeps = ["fc3.weight", "fc3.bias"];
      const first = await both(recipe({ keeps, run: "r-keeps" }), firstWeights());
      expect(first.torch.parameters).toHaveLength(8);
      expect(first.apart).toBeLessThan(CLOSE);
      const names = parameterNames();
      const sent = first.tfjs.parameters.map((t, i) => ({ ...t, name: names[i]! }));
      const second = await both(recipe({ keeps, run: "r-keeps", round: 2, keptFrom: 1 }), sent);
      console.log(`Net with its last layer kept, 2 rounds: ${second.apart.toExponential(1)} apart`);
      expect(second.apart).toBeLessThan(CLOSE);
    });

    test("an evaluation finds the same", async () => {
      const cases = (["Net", "ResNet8"] as const).flatMap((model) =>
        (["plain", "l2-normalised"] as const).map((kind) => ({ model, feature: { kind } })),
      );
      const losses = new Set<number>();
      for (const { model, feature } of cases) {
        const { round, run, numClasses, keeps, keptFrom, initSeed } = recipe({});
        const instruction = { round, run, model, numClasses, feature, keeps, keptFrom, initSeed };
        const [torch, tfjs] = await Promise.all(
          [python, virtual].map((session) => lab.evaluate(session, instruction, firstWeights(model))),
        );
        expect(torch!.status.code).toBe(0);
        expect(torch!.examples).toBe(TEST_SAMPLES.length);
        expect(torch!.examples).toBe(tfjs!.examples);
        expect(torch!.loss).toBeCloseTo(tfjs!.loss, 5);
        losses.add(torch!.loss);
        expect(torch!.metrics.accuracy).toBe(tfjs!.metrics.accuracy);
        expect(torch!.metrics.correct).toBe(tfjs!.metrics.correct);
        expect(Object.keys(torch!.metrics).sort()).toEqual(Object.keys(tfjs!.metrics).sort());
      }
      expect(losses.size).toBe(cases.length);
    });

    test("a part in arrays and a part by numbers of a folder give the same bytes, and so does a repetition", async () => {
      const ask = recipe({ loss: NTD, localEpochs: 2, batchSize: 12 });
      const answers = [];
      for (const session of [python, pythonOfFolder, python]) {
        answers.push(sha256Of((await fitted(session, ask, firstWeights())).parameters));
      }
      expect(new Set(answers).size).toBe(1);
    });

    test("an instruction that it cannot follow is answered with the reason, and the client goes on", async () => {
      const wrong = { ...recipe({}), batchSize: 0 };
      expect(await lab.fit(python, wrong, firstWeights())).toMatchObject({
        ok: false,
        failure: { cause: expect.stringContaining("batchSize") },
      });
      const wild = recipe({
        localEpochs: 3,
        optimizer: { kind: "sgd", lr: 1e30, momentum: 0, nesterov: false, weightDecay: 0 },
      });
      const diverged = await lab.fit(python, wild, firstWeights());
      expect(diverged).toMatchObject({
        ok: false,
        failure: { cause: expect.stringMatching(/diverged.*learning rate/) },
      });
      expect((await fitted(python, recipe({}), firstWeights())).examples).toBe(50);
    });

    test("sent away, they end with 0 and say so", async () => {
      await server.close();
      for (const client of clients) {
        const { code, stderr } = await client.ended;
        expect(code, stderr).toBe(0);
        expect(client.events.at(-1)).toMatchObject({ event: "stopped", code: 0 });
        expect(client.events.slice(0, 2).map((e) => e.event)).toEqual(["ready", "connected"]);
      }
    });
  },
);

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });

describe.skipIf(!installed && process.env.CI !== "true")(
  `the original repository's command line${installed ? "" : " (flwr 1.11.1 is missing; run test/setup/install.sh)"}`,
  () => {
    test("two of it and two virtual devices train fedavg and fedntd together", {
      timeout: 480_000,
    }, async () => {
      const folder = scratchFolder();
      const listen = await freePort();
      const study = writeStudy(folder.path, {
        name: "original clients",
        dataset: "fashion-mnist-sample",
        model: "Net",
        algorithms: ["fedavg", "fedntd"],
        partition: { kind: "shards", shardsPerClient: 2 },
        fleet: { virtual: 2, external: 2 },
        rounds: 2,
        batchSize: 50,
        optimizer: { lr: 0.05, momentum: 0.9 },
        sampling: { minFit: 4, minAvailable: 4 },
        evaluation: { central: true, federated: true },
      });
      const lab = startFedfleet([
        "run",
        study,
        "--data-dir",
        join(folder.path, "lab"),
        "--listen",
        `127.0.0.1:${listen}`,
        "--json",
      ]);
      const originals = [0, 1].map((cid) =>
        startPythonClient(
          [
            `--server_address=127.0.0.1:${listen}`,
            `--cid=${cid}`,
            "--model=Net",
            "--batch_size",
            "50",
          ].concat(["--data-dir", SAMPLE.path, "--retry-seconds=120"]),
          ["client.py"],
        ),
      );
      try {
        const finished = await lab.done;
        expect(finished.code, finished.stderr).toBe(0);
        for (const { ended } of originals) {
          const { code, stderr } = await ended;
          expect(code, stderr).toBe(0);
        }
        const { runs } = documentOf(finished);
        expect(runs.map((r) => [r.algorithm, r.status])).toEqual([
          ["fedavg", "done"],
          ["fedntd", "done"],
        ]);
        for (const run of runs) {
          expect(run.rounds.flatMap((r) => r.failures)).toEqual([]);
          expect(run.rounds.at(-1)!.clients).toHaveLength(4);
          expect(run.rounds.at(-1)!.accuracy).toBeGreaterThan(0.3);
        }
        for (const { events } of originals) {
          // Each run's initial round is not trained; both algorithms train twice.
          expect(events.filter((e) => e.event === "fit").map((e) => e.examples)).toEqual([
            6000, 6000, 6000, 6000,
          ]);
        }
      } finally {
        for (const { child } of originals) child.kill("SIGKILL");
        lab.child.kill("SIGKILL");
        folder.remove();
      }
    });
  },
);
