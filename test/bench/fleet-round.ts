import type { ModelName, Recipe } from "#contract/jobs.ts";
import { createFedAvg } from "#main/federation/strategies/fedavg.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { drive } from "#main/runs/drive.ts";
import { fitRound } from "#main/runs/fit-round.ts";
import { fitConfig } from "#main/runs/instructions.ts";
import type { Clients } from "#main/runs/ports.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { openFleetLab } from "#test/main/virtual-devices/virtual-lab.ts";

/** Nobody looks at progress here. */
const SILENT: Clients = { sessions: () => [], onChange: () => () => {}, onTraining: () => () => {} };

/**
 * One FedAvg round of a virtual fleet as the lab conducts it: real server, workers, folding.
 *
 * @param around called with the round to run, so that it can be measured
 */
export const fleetRound = async (options: {
  readonly devices: number;
  readonly workers: number;
  readonly model: ModelName;
  readonly samples: number;
  readonly recipe: Partial<Recipe>;
  readonly around?: (round: () => Promise<void>) => Promise<void>;
}): Promise<{ seconds: number; failures: number }> => {
  const { devices, workers, model, samples } = options;
  const lab = await openFleetLab({ devices, workers, model, samples });
  try {
    await lab.start();
    const sessions = await lab.joined(devices);
    const specs = modelParameters(model, 10);
    const global = initialWeights(model, 10, 7);
    const parameters = prepareParameters(global);
    const aggregation = createFedAvg().begin({ specs, global, state: [] });
    const { signal } = new AbortController();
    let failures = 0;
    let seconds = 0;
    const round = async () => {
      const startedAt = performance.now();
      const result = await fitRound({
        run: "r-bench",
        round: 1,
        sessions,
        instruct: (device) => ({
          kind: "fit",
          parameters,
          config: fitConfig(lab.recipe(1, device, options.recipe)),
        }),
        aggregation,
        stop: { graceSeconds: 0 },
        ports: { emit: () => {}, now: () => performance.now(), clients: SILENT },
        control: { afterRound: signal, now: signal },
      });
      const finished = await drive(aggregation.finish());
      seconds = (performance.now() - startedAt) / 1000;
      failures = result.failures.length + (finished.ok && result.examples === devices * samples ? 0 : 1);
    };
    await (options.around ?? ((run) => run()))(round);
    return { seconds, failures };
  } finally {
    await lab.close();
  }
};
