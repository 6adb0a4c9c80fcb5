import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CREWS, virtualGroups } from "#contract/fleet.ts";
import type { ModelName } from "#contract/jobs.ts";
import { unlessAborted } from "#main/runs/unless-aborted.ts";
import { createVirtualDevices, planWorkers } from "#main/virtual-devices/virtual-devices.ts";
import type { BringUp, CrewInput } from "./crew.ts";
import type { Shares } from "./shares.ts";

/** Starts the study's virtual devices in worker processes; they join over loopback. */
export const bringUpVirtualDevices: BringUp = async (input) => {
  const { study, data, aggregator, options, emit, signal } = input;
  const names = CREWS.virtual.members(study.fleet);
  if (data === undefined || names.length === 0) return undefined;
  const server = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  const model = study.model as ModelName;
  const plan = planWorkers({ cores: availableParallelism(), devices: names.length, model });
  const workers = plan.workers === 1 ? "1 worker process" : `${plan.workers} worker processes`;
  input.say(`starting ${names.length} virtual devices in ${workers}`);
  const devices = createVirtualDevices({
    fork: options.fork,
    entry: options.entries.device,
    ...plan,
    emit,
    onTraining: input.onTraining,
    onGivenUp: input.onGivenUp,
  });
  try {
    signal.throwIfAborted();
    const started = devices.start({
      server,
      dataset: data.location,
      model,
      numClasses: input.numClasses,
      seed: study.seed,
      keptDir: join(input.dataDir, "kept"),
      devices: equipped(input, data.shares),
    });
    await unlessAborted(started, signal);
  } catch (error) {
    await devices.stop();
    throw error;
  }
  return {
    explain: devices.explain,
    engine: devices.engine(),
    async stop(_, sentAway) {
      // Clients are told to leave before their processes end: the other way round each would count as lost.
      await sentAway;
      await devices.stop();
    },
  };
};

const NO_PROFILE = { slowness: 1, dropOut: 0, crash: 0 };

/** Each device with its ticket, its samples and its group's profile. */
const equipped = ({ study, aggregator }: CrewInput, shares: Shares) => {
  const profiles = virtualGroups(study.fleet).flatMap(({ count, slowness, dropOut, crash }) =>
    Array.from({ length: count }, () => ({ slowness, dropOut, crash })),
  );
  return CREWS.virtual.members(study.fleet).map((name, i) => ({
    name,
    ticket: aggregator.issueTicket(name),
    trainIndices: shares.get(name)?.train ?? [],
    testIndices: shares.get(name)?.test ?? [],
    profile: profiles[i] ?? NO_PROFILE,
  }));
};
