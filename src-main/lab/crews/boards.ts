import { join } from "node:path";
import { CREWS, fleetSize } from "#contract/fleet.ts";
import type { BringUp } from "./crew.ts";

/** Starts the client on every board of the study, over the board's own connection. */
export const bringUpBoards: BringUp = async (input) => {
  const { study, data, aggregator, dataDir, say } = input;
  const devices = CREWS.board.members(study.fleet);
  if (data === undefined || devices.length === 0) return undefined;
  say(`starting the client on ${devices.length === 1 ? devices[0] : `${devices.length} boards`}`);
  const engagement = input.boards.engage({
    study: input.id,
    run: input.firstRun,
    devices,
    model: study.model,
    seed: study.seed,
    batchSize: study.batchSize,
    part: (device, dataFolder) => {
      const { train, test } = data.shares.get(device) ?? { train: [], test: [] };
      return input.part({
        location: data.location,
        train,
        test,
        dir: join(dataDir, "parts"),
        folder: dataFolder !== undefined,
      });
    },
    accept: aggregator.accept,
    onTraining: input.onTraining,
    fleetSize: fleetSize(study.fleet),
    signal: input.signal,
  });
  return {
    explain: engagement.explain,
    onRunBegins: engagement.runBegan,
    // Their clients end by themselves when the server sends them away: they must know beforehand.
    stop: (politely) => engagement.stop(politely),
  };
};
