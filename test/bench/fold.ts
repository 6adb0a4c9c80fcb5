/**
 * How long one ResNet18 update (11.17 million float32 in 62 float tensors of its parameters and 40 of its running
 * statistics, 20 counters; 44.7 MB) takes to be checked and folded, beside `aggregate` of flwr 1.11, which numpy
 * users run. Alone: `node test/bench/fold.ts`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { elementCount, type Tensor } from "#contract/tensor.ts";
import { createRandom } from "#main/federation/random.ts";
import { createWeightedSum } from "#main/federation/weighted-sum.ts";
import { pythonOf } from "#test/setup/flwr.ts";
import { type Figure, renderFigures } from "./figure.ts";

const CLIENTS = 10;
const FRESH = 3;
const ROUNDS = 7;
const PYTHON = pythonOf("1.11.1");

/** The state_dict of torchvision's ResNet18 with the CIFAR stem and ten classes, in order. */
const resNet18 = (): { dtype: "float32" | "int64"; shape: number[] }[] => {
  const specs: { dtype: "float32" | "int64"; shape: number[] }[] = [];
  const float = (...shape: number[]) => specs.push({ dtype: "float32", shape });
  const convolution = (output: number, input: number, size: number) => {
    float(output, input, size, size);
    for (let i = 0; i < 4; i += 1) float(output);
    specs.push({ dtype: "int64", shape: [] });
  };
  convolution(64, 3, 3);
  let input = 64;
  for (const width of [64, 128, 256, 512]) {
    for (let block = 0; block < 2; block += 1) {
      convolution(width, input, 3);
      convolution(width, width, 3);
      if (input !== width) convolution(width, input, 1);
      input = width;
    }
  }
  float(10, 512);
  float(10);
  return specs;
};

/** The other side: numpy arrays of the same shapes; one line in, one measurement of milliseconds per update out. */
const NUMPY = `
import sys, time, json
import numpy as np
from flwr.server.strategy.aggregate import aggregate
specs = json.loads(sys.argv[1])
rng = np.random.default_rng(1)
def update():
    return [rng.standard_normal(s["shape"]).astype(np.float32) * np.float32(0.02) if s["dtype"] == "float32"
            else np.array(157, dtype=np.int64) for s in specs]
updates = [(update(), 600 + k) for k in range(${CLIENTS})]
print("ready", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    aggregate(updates)
    print((time.perf_counter() - started) * 1000 / len(updates), flush=True)
`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const drive = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
};

interface Numpy {
  /** Milliseconds per update of one aggregation. */
  aggregate(): Promise<number>;
  stop(): void;
}

const startNumpy = async (specs: ReturnType<typeof resNet18>): Promise<Numpy> => {
  const env = { ...process.env };
  // Set for another processor, these make numpy's library crawl.
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const child = spawn(PYTHON, ["-c", NUMPY, JSON.stringify(specs)], {
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error("the numpy side ended early");
    return line.value;
  };
  if ((await answer()) !== "ready") throw new Error("the numpy side did not start");
  return {
    aggregate: async () => {
      child.stdin.write("\n");
      return Number(await answer());
    },
    stop: () => {
      child.stdin.end();
      child.kill();
    },
  };
};

/**
 * Medians of rounds that take turns with flwr's, so that both meet the same moods of the machine. The first round of
 * a process and the later ones are told apart: in the first the system must hand out fresh pages, which costs numpy
 * more than the sums do, and which we have asked for while the clients trained; later both sides have theirs.
 */
export const benchFold = async (): Promise<Figure[]> => {
  if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing; test/setup/install.sh makes it`);
  const specs = resNet18();
  const updates = Array.from({ length: CLIENTS }, (_, k) => updateOf(specs, k));
  const first: number[] = [];
  const theirFirst: number[] = [];
  const alone: number[] = [];
  const together: number[] = [];
  const theirs: number[] = [];
  let sum = createWeightedSum(specs);
  let numpy: Numpy | undefined;
  try {
    for (let i = 0; i < FRESH; i += 1) {
      numpy?.stop();
      numpy = await startNumpy(specs);
      theirFirst.push(await numpy.aggregate());
      sum = createWeightedSum(specs);
      // As the server does it: while the clients of its first round train.
      drive(sum.prepare());
      first.push(timeRound(sum, updates, 1));
    }
    for (let round = -2; round < ROUNDS; round += 1) {
      const flwr = await numpy!.aggregate();
      const one = timeRound(sum, updates, 1);
      const three = timeRound(sum, updates, 3);
      if (round < 0) continue; // both settle
      theirs.push(flwr);
      alone.push(one);
      together.push(three);
    }
  } finally {
    numpy?.stop();
  }
  const figure = (name: string, ours: readonly number[], flwr: readonly number[]): Figure => {
    const ratio = median(ours) / median(flwr);
    return {
      name,
      value: median(ours),
      unit: "ms",
      against: { name: "flwr 1.11.1 aggregate, 10 clients", value: median(flwr) },
      ratio,
      target: "at most 0.333 ×",
      met: ratio <= 1 / 3,
    };
  };
  return [
    figure("fold a ResNet18 update, first round of a process", first, theirFirst),
    figure("fold a ResNet18 update, later rounds, one at a time", alone, theirs),
    figure("fold a ResNet18 update, later rounds, three waiting", together, theirs),
  ];
};

/** Tensors as they come off the wire: views of one message, at odd addresses. */
const updateOf = (specs: ReturnType<typeof resNet18>, k: number): Tensor[] => {
  const random = createRandom(k);
  // A hundred thousand values, repeated: normal variates are slow to draw, and the time does not depend on them.
  const values = Float32Array.from({ length: 100_003 }, () => random.normal() * 0.02);
  const width = { float32: 4, int64: 8 };
  const sizes = specs.map((s) => elementCount(s.shape) * width[s.dtype]);
  const message = new Uint8Array(sizes.reduce((a, b) => a + b + 128, 0));
  let at = 3;
  let next = k;
  return specs.map(({ dtype, shape }, i): Tensor => {
    const bytes = message.subarray(at, at + sizes[i]!);
    at += sizes[i]! + 125;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (dtype === "int64") view.setBigInt64(0, 157n, true);
    else {
      for (let e = 0; e < sizes[i]!; e += 4) {
        view.setFloat32(e, values[next % values.length]!, true);
        next += 1;
      }
    }
    return { dtype, shape, bytes };
  });
};

/** Milliseconds per update of a round of all updates, `group` at a time, checks included. */
const timeRound = (
  sum: ReturnType<typeof createWeightedSum>,
  updates: readonly Tensor[][],
  group: number,
): number => {
  sum.reset();
  const started = performance.now();
  for (let k = 0; k < updates.length; k += group) {
    const results = drive(
      sum.add(updates.slice(k, k + group).map((tensors, i) => ({ tensors, weight: 600 + k + i }))),
    );
    if (results.some((r) => !r.ok)) throw new Error("an update of the benchmark was refused");
  }
  return (performance.now() - started) / updates.length;
};

if (process.argv[1] === import.meta.filename) console.log(renderFigures(await benchFold()));
