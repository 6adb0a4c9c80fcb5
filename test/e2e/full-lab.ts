import { DEMO } from "#contract/presets.ts";
import type { StudyInput } from "#contract/study.ts";
import type { DirectClient, ServedLab } from "./served-lab.ts";

/** A lab in which something has happened: what the pages are looked at with. */
export interface FullLab {
  /** The demo, done. */
  readonly demo: string;
  /** Ten devices, three trials, done. */
  readonly forgetting: string;
  /** On a fleet of its own with slow and shaky devices; runs for minutes. */
  readonly running: string;
  /** Waits behind it. */
  readonly waiting: string;
}

const FORGETTING: StudyInput = {
  ...DEMO,
  name: "forgetting",
  partition: { kind: "shards", shardsPerClient: 2 },
  fleet: { virtual: 10 },
  rounds: 6,
  localEpochs: 1,
  sampling: { fraction: 0.5, minFit: 5 },
  trials: 3,
};

export const RUNNING: StudyInput = {
  ...DEMO,
  name: "night-shift",
  algorithms: ["fedavg", "fedprox"],
  partition: { kind: "dirichlet", alpha: 0.5 },
  fleet: {
    virtual: [
      { count: 5, name: "steady" },
      { count: 2, name: "slow", slowness: 3 },
      { count: 1, name: "shaky", dropOut: 0.3 },
    ],
  },
  rounds: 60,
  localEpochs: 2,
  sampling: { fraction: 1, minFit: 4 },
  fedprox: { mu: 0.01 },
  trials: 1,
};

const untilOver = async ({ ask }: DirectClient, study: string): Promise<void> => {
  for (;;) {
    const { study: view } = await ask.studies.get({ study });
    if (view.status === "done") return;
    if (view.status === "failed" || view.status === "interrupted") {
      throw new Error(`${view.name} ended as ${view.status}: ${view.reason}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

/** @param boards that take part in the study that runs */
export const fillLab = async (lab: ServedLab, boards: readonly string[] = []): Promise<FullLab> => {
  const direct = await lab.client();
  const { ask } = direct;
  const start = async (study: StudyInput) => (await ask.studies.start({ study })).study;
  for (const group of [
    { count: 4, name: "desk" },
    { count: 2, name: "attic", slowness: 3, dropOut: 0.1 },
  ]) {
    await ask.fleet.addGroup(group);
  }
  const demo = await start(DEMO);
  const forgetting = await start(FORGETTING);
  await untilOver(direct, demo);
  await untilOver(direct, forgetting);
  const running = await start({
    ...RUNNING,
    fleet: { ...RUNNING.fleet, ...(boards.length === 0 ? {} : { devices: [...boards] }) },
  });
  const waiting = await start({ ...DEMO, name: `${"a-name-as-long-as-people-make-them-".repeat(5)}end` });
  while (((await ask.studies.get({ study: running })).study.curves[0]?.round.length ?? 0) < 8) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  direct.close();
  return { demo, forgetting, running, waiting };
};
