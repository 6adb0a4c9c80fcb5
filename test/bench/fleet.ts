import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Recipe } from "#contract/jobs.ts";
import { planWorkers } from "#main/fleet/virtual-fleet.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { firstWeights, openFleetLab, SAMPLE } from "#test/main/fleet/fleet-lab.ts";
import type { TrainingLoopJob } from "./training-loop.ts";

const DEVICES = 100;
const REPEATS = 3;
const LOCAL_EPOCHS = 3;
/** The bundled sample's 6,000 pictures dealt to 100 devices. */
const SAMPLES = 60;

/** Seconds of one round with a virtual fleet: from the instruction of the first device to the last fold. */
const fleetRound = async (workers: number): Promise<{ seconds: number; failures: number }> => {
  const lab = await openFleetLab({ devices: DEVICES, workers, samples: SAMPLES });
  try {
    await lab.start();
    const sessions = await lab.joined(DEVICES);
    const weights = firstWeights();
    const parameters = prepareParameters(weights);
    const startedAt = performance.now();
    let failures = 0;
    await Promise.all(
      sessions.map(async (session) => {
        const recipe = lab.recipe(1, session.device, { localEpochs: LOCAL_EPOCHS, batchSize: 50 });
        const reply = await session.request({
          kind: "fit",
          parameters,
          config: { fedfleet: { kind: "string", value: JSON.stringify(recipe) } },
        });
        if (!reply.ok) failures += 1;
        else {
          if (reply.value.message.kind !== "fit" || reply.value.message.examples !== SAMPLES) failures += 1;
          reply.value.release();
        }
      }),
    );
    return { seconds: (performance.now() - startedAt) / 1000, failures };
  } finally {
    await lab.close();
  }
};

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
 * do nothing but train. The two alternate; medians are told.
 */
export const benchFleet = async () => {
  const { workers } = planWorkers({ cores: availableParallelism(), devices: DEVICES, model: "Net" });
  const lab = await openFleetLab({ devices: 1, workers: 1 });
  const recipes = Array.from({ length: DEVICES }, (_, i) =>
    lab.recipe(1, `virtual-${i + 1}`, { localEpochs: LOCAL_EPOCHS, batchSize: 50 }),
  );
  await lab.close();
  const alone: number[] = [];
  const rounds: number[] = [];
  let failures = 0;
  for (let i = 0; i < REPEATS; i += 1) {
    alone.push(await trainingAlone(workers, recipes));
    const round = await fleetRound(workers);
    rounds.push(round.seconds);
    failures += round.failures;
  }
  const value = median(rounds);
  const against = median(alone);
  return [
    {
      name: `one round of ${DEVICES} virtual devices, Net, ${LOCAL_EPOCHS} local epochs of ${SAMPLES} pictures, ${workers} workers`,
      value,
      unit: "s",
      against: `the same trainings alone: ${against.toFixed(2)} s`,
      ratio: value / against,
      target: "at most 1.3 ×",
    },
    {
      name: `failures in ${REPEATS} such rounds`,
      value: failures,
      unit: "",
      against: "",
      ratio: failures,
      target: "0",
    },
  ];
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await benchFleet());
}
