import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Recipe } from "#contract/jobs.ts";
import { planWorkers } from "#main/virtual-devices/virtual-devices.ts";
import { openFleetLab, SAMPLE } from "#test/main/virtual-devices/virtual-lab.ts";
import { type Figure, renderFigures } from "./figure.ts";
import { fleetRound } from "./fleet-round.ts";
import type { TrainingLoopJob } from "./training-loop.ts";

const DEVICES = 100;
const REPEATS = 3;

/** The bundled sample's 6,000 pictures dealt to 100 devices. */
const SAMPLES = 60;

/** The next word of a process; rejects when it ends instead. */
const word = async (child: ChildProcess): Promise<unknown> => {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(([code]) => {
    throw new Error(`the training process ended with code ${code}`);
  });
  try {
    return await Promise.race([once(child, "message"), exit]);
  } finally {
    exit.catch(() => {});
    ended.abort();
  }
};

/** Seconds that the same trainings take in as many processes that do nothing else. */
const trainingAlone = async (workers: number, recipes: readonly Recipe[]): Promise<number> => {
  const processes = Array.from({ length: workers }, (_, w) => {
    const mine = recipes.map((_, i) => i).filter((i) => i % workers === w);
    const child = fork(fileURLToPath(new URL("./training-loop.ts", import.meta.url)), {
      execArgv: [],
      serialization: "advanced",
    });
    const job: TrainingLoopJob = {
      dataset: SAMPLE,
      model: "Net",
      recipes: mine.map((i) => recipes[i]!),
      indices: mine.map((i) => Array.from({ length: SAMPLES }, (_, k) => i + k * DEVICES)),
    };
    child.send(job);
    return child;
  });
  await Promise.all(processes.map(word));
  const startedAt = performance.now();
  await Promise.all(
    processes.map((child) => {
      child.send("go");
      return word(child);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const child of processes) child.disconnect();
  return seconds;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/**
 * One round of one hundred virtual devices with Net, beside the same trainings in the same number of processes that
 * do nothing but train. The two alternate; medians are told. One local epoch of 60 pictures takes a device about
 * 15 ms: the hardest case. Three are what the examples train.
 */
export const benchFleet = async (): Promise<Figure[]> => {
  const { workers } = planWorkers({ cores: availableParallelism(), devices: DEVICES, model: "Net" });
  const lab = await openFleetLab({ devices: 1, workers: 1 });
  await lab.close();
  const figures: Figure[] = [];
  let failures = 0;
  for (const localEpochs of [1, 3]) {
    const recipe = { localEpochs, batchSize: 50 };
    const recipes = Array.from({ length: DEVICES }, (_, i) => lab.recipe(1, `virtual-${i + 1}`, recipe));
    const alone: number[] = [];
    const rounds: number[] = [];
    for (let i = 0; i < REPEATS; i += 1) {
      alone.push(await trainingAlone(workers, recipes));
      const round = await fleetRound({ devices: DEVICES, workers, model: "Net", samples: SAMPLES, recipe });
      rounds.push(round.seconds);
      failures += round.failures;
    }
    const value = median(rounds);
    const against = median(alone);
    figures.push({
      name: `one round of ${DEVICES} virtual devices, Net, local epochs of ${SAMPLES} images: ${localEpochs}, workers: ${workers}`,
      value,
      unit: "s",
      against: { name: "the same trainings alone", value: against },
      ratio: value / against,
      target: "at most 1.3 ×",
      met: value / against <= 1.3,
    });
  }
  figures.push({
    name: `failures in ${2 * REPEATS} such rounds`,
    value: failures,
    unit: "",
    target: "0",
    met: failures === 0,
  });
  return figures;
};

/**
 * How late the event loop of the serving process is while ten virtual devices train ResNet18, get their 45 MB and
 * send them back, and the updates are folded. `monitorEventLoopDelay` counts its own interval in; it is taken off.
 */
export const benchLateness = async (): Promise<Figure[]> => {
  const resolution = 1;
  const devices = 10;
  const { workers } = planWorkers({ cores: availableParallelism(), devices, model: "ResNet18" });
  const delay = monitorEventLoopDelay({ resolution });
  const { seconds, failures } = await fleetRound({
    devices,
    workers,
    model: "ResNet18",
    samples: 16,
    recipe: { batchSize: 8 },
    async around(round) {
      delay.enable();
      await round();
      delay.disable();
    },
  });
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  const p99 = late(delay.percentile(99));
  const most = late(delay.max);
  if (failures > 0) throw new Error(`${failures} of ${devices} updates failed`);
  const what = `${devices} ResNet18 trainings and updates in ${seconds.toFixed(1)} s`;
  return [
    {
      name: `event loop late, p99, ${what}`,
      value: p99,
      unit: "ms",
      target: "below 30 ms",
      met: p99 < 30,
    },
    {
      name: "event loop late at most, in the same",
      value: most,
      unit: "ms",
      target: "at most 100 ms",
      met: most <= 100,
    },
  ];
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(renderFigures([...(await benchFleet()), ...(await benchLateness())]));
}
