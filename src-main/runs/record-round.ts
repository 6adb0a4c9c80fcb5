import type { RoundResult } from "#contract/events.ts";
import type { Evaluation } from "#contract/jobs.ts";
import type { MetricValues } from "#contract/metrics.ts";
import { taskOf } from "#contract/tasks/tasks.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { evaluateRound, type FederatedEvaluation } from "./evaluate-round.ts";
import { evaluateConfig, evaluationFor } from "./instructions.ts";
import { TOO_MANY } from "./reported-metrics.ts";
import { type RunInProgress, travellingWeights } from "./run-in-progress.ts";
import { checkpointOf } from "./run-position.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** A round before its weights are evaluated. */
export type TrainedRound = Omit<
  RoundResult,
  "weightsSha256" | "seconds" | "metrics" | "central" | "federated" | "evaluations"
>;

/**
 * Ends a round: writes its checkpoint, evaluates it on the server and on the devices, and records it. A round counts only
 * once it is recorded.
 *
 * @param startedAt in the milliseconds of the ports' clock
 * @throws the control signal's reason when the study is stopped immediately
 */
export const recordRound = async (
  of: RunInProgress,
  trained: TrainedRound,
  startedAt: number,
): Promise<void> => {
  const { study, run, algorithm, model, at, ports, control } = of;
  const weightsSha256 = await ports.weightsSha256(at.weights);
  const path = await ports.checkpoints.write(run.id, at.round, checkpointOf(at), {
    study: study.name,
    run: run.id,
    algorithm: run.algorithm,
    round: String(at.round),
    model: model.name,
  });
  control.now.throwIfAborted();
  const central =
    ports.evaluate && (await unlessAborted(ports.evaluate(path, algorithm.feature), control.now));
  const federated = await evaluateOnDevices(of);
  control.now.throwIfAborted();
  const result: RoundResult = {
    ...trained,
    metrics: metricsOfRound(taskOf(study.task).metrics, central, federated?.mean?.metrics),
    ...(central === undefined ? {} : { central }),
    ...(federated?.mean ? { federated: federated.mean } : {}),
    evaluations: federated?.evaluations ?? [],
    failures: [...trained.failures, ...(federated?.failures ?? [])],
    weightsSha256,
    seconds: (ports.now() - startedAt) / 1000,
  };
  if (federated !== undefined) tellRefusedMetrics(of, federated);
  await ports.recordRound(run.id, result, path);
  of.history.push({ round: result.round, clients: result.clients, metrics: result.metrics });
};

/** The server's figure where there is one, else the devices' mean; includes every metric of the task, measured or not. */
const metricsOfRound = (
  own: readonly string[],
  central: Evaluation | undefined,
  federated: MetricValues | undefined,
): MetricValues => {
  // A Map: a client may call a metric "constructor".
  const values = new Map<string, number | null>(own.map((name) => [name, null]));
  for (const measured of [federated, central?.metrics]) {
    for (const [name, value] of Object.entries(measured ?? {})) {
      if (value !== null) values.set(name, value);
    }
  }
  return Object.fromEntries(values);
};

const evaluateOnDevices = async (of: RunInProgress): Promise<FederatedEvaluation | undefined> => {
  const { study, run, at, ports, control } = of;
  if (!study.evaluation.federated || at.round === 0) return undefined;
  const known = new Set(of.roster);
  const parameters = prepareParameters(travellingWeights(of));
  return await evaluateRound({
    run: run.id,
    round: at.round,
    sessions: ports.clients.sessions().filter((s) => known.has(s.device) && !s.busy),
    instruct: (device) => ({
      kind: "evaluate",
      parameters,
      config: evaluateConfig(evaluationFor(of, at.round, device), study.batchSize),
    }),
    deadlineSeconds: study.stop.deadlineSeconds,
    metrics: { own: taskOf(study.task).metrics, described: study.metrics, kept: of.keptMetrics },
    ports,
    control,
  });
};

/** A client reports the same every round: a metric that is not recorded is announced once. */
const tellRefusedMetrics = (
  { run, at, ports, toldMetrics }: RunInProgress,
  { refused }: FederatedEvaluation,
): void => {
  for (const one of refused) {
    const key = JSON.stringify(one.cause === TOO_MANY ? [one.name] : [one.device, one.name]);
    if (toldMetrics.has(key)) continue;
    toldMetrics.add(key);
    ports.emit({ kind: "metric-refused", run: run.id, round: at.round, ...one });
  }
};
