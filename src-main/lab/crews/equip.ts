import { join } from "node:path";
import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import type { TrainingProgress } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { CrewKind } from "#contract/fleet.ts";
import { type Aggregator, createAggregator } from "#main/aggregator/aggregator.ts";
import type { createEvaluator } from "#main/learning/evaluator.ts";
import type { Equipment } from "#main/runs/lab-ports.ts";
import type { Clients } from "#main/runs/ports.ts";
import { unlessAborted } from "#main/runs/unless-aborted.ts";
import { forgetKept } from "#main/virtual-devices/kept-state.ts";
import { bringUpBoards } from "./boards.ts";
import type { BringUp, Crew, CrewInput } from "./crew.ts";
import { admissionOf, bringUpExternal } from "./external.ts";
import { sharesOf } from "./shares.ts";
import { bringUpVirtualDevices } from "./virtual-devices.ts";

/** How each crew is brought up, in this order: the server listens before any client starts. */
const BRING_UP: Readonly<Record<CrewKind, BringUp>> = {
  external: bringUpExternal,
  board: bringUpBoards,
  virtual: bringUpVirtualDevices,
};

export interface EquipInput
  extends Omit<CrewInput, "data" | "aggregator" | "onGivenUp" | "onTraining" | "say"> {
  readonly dataset: DatasetLocation | undefined;
  readonly partition: Partition | undefined;
  /** The study's runs that are done or failed, by id. */
  readonly runsThatAreOver: () => readonly string[];
  /** Aborted when the store can no longer record. */
  readonly unrecorded: AbortSignal;
  readonly evaluator: ReturnType<typeof createEvaluator>;
}

/**
 * Brings up what a study needs: the server, and its crews one after the other.
 * @throws UserError when that cannot be; the signal's reason when a person stops it meanwhile. What was up is down
 *   again by then.
 */
export const equip = async (input: EquipInput): Promise<Equipment> => {
  const { study, options, dataset, partition, signal, evaluator } = input;
  const broken = new AbortController();
  const aggregator = createAggregator({
    emit: input.emit,
    admission: admissionOf(study, options.listen),
  });
  const crews: Crew[] = [];
  const trainings = new Set<(progress: TrainingProgress) => void>();
  const close = async (politely: boolean): Promise<void> => {
    await takeDown(aggregator, crews, politely);
    // What devices kept of a run is of no use once it is over; before, a resume needs it.
    for (const run of input.runsThatAreOver()) await forgetKept(join(input.dataDir, "kept"), run);
  };
  const crewInput: CrewInput = {
    ...input,
    data:
      dataset === undefined || partition === undefined
        ? undefined
        : { location: dataset, shares: sharesOf(study.fleet, partition) },
    aggregator,
    say: options.onProgress ?? (() => {}),
    onGivenUp: (error) => broken.abort(error),
    onTraining(progress) {
      for (const listener of trainings) listener(progress);
    },
  };
  try {
    for (const bringUp of Object.values(BRING_UP)) {
      const crew = await bringUp(crewInput);
      if (crew !== undefined) crews.push(crew);
    }
    // What trains decides the weights; the evaluator only measures them.
    const engine =
      crews.find((crew) => crew.engine !== undefined)?.engine ??
      (await unlessAborted(evaluator.engine(), signal));
    return {
      clients: {
        ...explained(aggregator, crews),
        onTraining(listener) {
          trainings.add(listener);
          return () => trainings.delete(listener);
        },
      },
      broken: AbortSignal.any([broken.signal, input.unrecorded]),
      evaluate: (job) => evaluator.evaluate(job),
      engine,
      onRunBegins(run) {
        for (const crew of crews) crew.onRunBegins?.(run);
      },
      close,
    };
  } catch (error) {
    await close(false);
    throw error;
  }
};

const takeDown = async (aggregator: Aggregator, crews: readonly Crew[], politely: boolean): Promise<void> => {
  const sentAway = Promise.withResolvers<void>();
  const stopped = Promise.all(crews.map((crew) => crew.stop(politely, sentAway.promise)));
  if (politely) await aggregator.close();
  sentAway.resolve();
  await stopped;
  if (!politely) await aggregator.close({ deadlineMs: 0 });
};

/** The sessions, with the reason of a device's failure where its crew knows better than the wire. */
const explained = (aggregator: Aggregator, crews: readonly Crew[]): Omit<Clients, "onTraining"> => ({
  onChange: aggregator.onChange,
  sessions: () =>
    aggregator.sessions().map((session) => ({
      device: session.device,
      get busy() {
        return session.busy;
      },
      async request(message, hooks) {
        const answer = await session.request(message, hooks);
        if (answer.ok) return answer;
        let failure: Failure = { ...answer.failure, device: session.device };
        for (const crew of crews) failure = (await crew.explain?.(failure)) ?? failure;
        return { ok: false, failure };
      },
    })),
});
