import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Figure, renderFigures } from "./figure.ts";

interface Task {
  readonly task: "train" | "evaluate";
  readonly model: string;
  readonly images: number;
  readonly batch: number;
}

/** A process that measures tasks, one at a time. */
interface Measurer {
  readonly name: string;
  measure(task: Task): Promise<number>;
  stop(): void;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const start = async (
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Measurer> => {
  const child: ChildProcessWithoutNullStreams = spawn(file, args, { env: environment });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${file} ${args.join(" ")} ended: ${errors}`);
    return JSON.parse(line.value) as T;
  };
  const { ready } = await answer<{ ready: string }>();
  return {
    name: ready,
    measure: async (task) => {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      return (await answer<{ milliseconds: number }>()).milliseconds;
    },
    stop: () => child.stdin.end(),
  };
};

const startTorch = (): Promise<Measurer> => {
  // Settings for one machine's OpenBLAS may halve its speed on another: PyTorch gets none.
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env;
  return start("/usr/bin/python3", [here("./torch_bench.py")], environment);
};

const startLab = (engine: "native" | "wasm"): Promise<Measurer> =>
  start(process.execPath, [here("./learning-worker.ts")], { ...process.env, FEDFLEET_ENGINE: engine });

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

interface Plan extends Task {
  readonly name: string;
  readonly unit: string;
  readonly engine: "native" | "wasm";
  readonly atLeast: number;
  readonly repetitions: number;
}

const PLANS: readonly Plan[] = [
  { engine: "native", task: "train", model: "Net", images: 3000, batch: 50, atLeast: 1, repetitions: 9 },
  {
    engine: "native",
    task: "evaluate",
    model: "Net",
    images: 3000,
    batch: 128,
    atLeast: 1,
    repetitions: 9,
  },
  {
    engine: "native",
    task: "train",
    model: "ResNet18",
    images: 192,
    batch: 32,
    atLeast: 0.8,
    repetitions: 5,
  },
  {
    engine: "native",
    task: "evaluate",
    model: "ResNet18",
    images: 256,
    batch: 128,
    atLeast: 1,
    repetitions: 5,
  },
  { engine: "wasm", task: "train", model: "Net", images: 1000, batch: 50, atLeast: 0.2, repetitions: 7 },
].map((plan) => ({
  ...plan,
  name: `${plan.model}, ${plan.task === "train" ? "training step" : "evaluation"} of ${
    plan.task === "train" ? plan.batch : plan.images
  }, ${plan.engine}`,
  unit: "ms",
})) as Plan[];

/**
 * Local training and evaluation against PyTorch on two threads each. The two sides take turns, so that whatever
 * else the machine does meets both; the figures are medians. `ratio` is the lab's speed over PyTorch's.
 */
export const benchLearning = async (only?: string): Promise<Figure[]> => {
  const figures: Figure[] = [];
  const torch = await startTorch();
  try {
    for (const plan of PLANS) {
      if (only !== undefined && !plan.name.includes(only)) continue;
      const lab = await startLab(plan.engine);
      try {
        const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
        // The first turn of each warms its caches up and does not count.
        for (let i = 0; i <= plan.repetitions; i += 1) {
          const theirs = await torch.measure(plan);
          const ours = await lab.measure(plan);
          if (i === 0) continue;
          times.theirs.push(theirs);
          times.ours.push(ours);
        }
        const value = median(times.ours);
        const theirs = median(times.theirs);
        const ratio = theirs / value;
        figures.push({
          name: plan.name,
          value,
          unit: plan.unit,
          against: { name: torch.name, value: theirs },
          ratio,
          target: `at least ${plan.atLeast} ×`,
          met: ratio >= plan.atLeast,
        });
      } finally {
        lab.stop();
      }
    }
  } finally {
    torch.stop();
  }
  return figures;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(renderFigures(await benchLearning(process.argv[2])));
}
