import type { Failure } from "#contract/failure.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import { drawClients } from "#main/federation/sampling.ts";
import { runShouldStop } from "#main/federation/stop-rules.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { drive } from "./drive.ts";
import { fitRound } from "./fit-round.ts";
import { gatherClients } from "./gather-clients.ts";
import { fitConfig, recipeFor } from "./instructions.ts";
import { passGate } from "./pass-gate.ts";
import type { Control, DeviceSession, RunPorts } from "./ports.ts";
import { recordRound } from "./record-round.ts";
import { openRun, type RunInProgress, travellingWeights } from "./run-in-progress.ts";
import type { RunPlan } from "./run-plan.ts";
import { fruitlessRounds, merge } from "./run-position.ts";

/** A run gives up after this many rounds in a row in which no update could be used. */
const FRUITLESS_ROUNDS = 3;

export interface RunOutcome {
  readonly status: "done" | "failed" | "interrupted";
  readonly reason: string;
}

/**
 * Conducts one run (one algorithm, one seed) from where its record ends: round by round draw, instruct, aggregate,
 * checkpoint, evaluate, record. Killed at any instant, it resumes at the round after the last recorded one, from
 * the same weights, server state, draws and seeds.
 */
export const conductRun = async (plan: RunPlan, ports: RunPorts, control: Control): Promise<RunOutcome> => {
  const run = await openRun(plan, ports, control);
  if (run.history.length === 0) await recordFirstWeights(run);
  for (;;) {
    const outcome = outcomeOf(run);
    if (outcome !== undefined) return outcome;
    await passGate(control);
    if (control.afterRound.aborted) return { status: "interrupted", reason: "stopped after a round" };
    const sessions = await gather(run);
    if (sessions.length === 0) {
      if (control.gate?.isClosed && !control.afterRound.aborted) continue;
      return { status: "interrupted", reason: "stopped while waiting for devices" };
    }
    run.hasMet = true;
    await holdRound(run, sessions);
  }
};

/** Whether the run is over, and why; undefined while it continues. */
const outcomeOf = ({ study, at, history, lastFailure }: RunInProgress): RunOutcome | undefined => {
  if (fruitlessRounds(history) >= FRUITLESS_ROUNDS) {
    return {
      status: "failed",
      reason: `${FRUITLESS_ROUNDS} rounds in a row had no usable update; the last failure: ${lastFailure}`,
    };
  }
  const rounds = history.filter(({ round }) => round > 0);
  const verdict = runShouldStop({ rounds, stop: study.stop, metrics: metricsOf(study) });
  if (verdict.stop) return { status: "done", reason: verdict.reason ?? "a stop rule was met" };
  return at.round >= study.rounds
    ? { status: "done", reason: `all ${study.rounds} rounds are done` }
    : undefined;
};

const recordFirstWeights = (run: RunInProgress): Promise<void> =>
  recordRound(
    run,
    {
      round: 0,
      clients: [],
      drawn: [],
      failures: [],
      examples: 0,
      startedAt: run.ports.timestamp(),
      updates: [],
    },
    run.ports.now(),
  );

const gather = ({
  run,
  at,
  roster,
  hosted,
  study,
  hasMet,
  ports,
  control,
}: RunInProgress): Promise<readonly DeviceSession[]> =>
  gatherClients({
    run: run.id,
    round: at.round + 1,
    roster,
    hosted,
    sampling: study.sampling,
    met: hasMet,
    ports,
    control,
  });

/** One round with the connected devices: draw, instruct, aggregate, record. */
const holdRound = async (of: RunInProgress, sessions: readonly DeviceSession[]): Promise<void> => {
  const { study, run, algorithm, at, travels, ports, control } = of;
  const round = at.round + 1;
  const startedAt = ports.now();
  const startedAtText = ports.timestamp();
  const drawn = drawClients({
    seed: run.seed,
    round,
    available: sessions.map((s) => s.device),
    fraction: study.sampling.fraction,
    minFit: study.sampling.minFit,
  });
  ports.emit({ kind: "round-started", run: run.id, round, drawn });
  const chosen = new Set(drawn);
  const global = travellingWeights(of);
  // Encoded once: every device gets the same bytes; only the configuration differs.
  const parameters = prepareParameters(global);
  const aggregation = algorithm.strategy.begin({ specs: travels, global, state: at.state });
  const fit = await fitRound({
    run: run.id,
    round,
    sessions: sessions.filter((s) => chosen.has(s.device)),
    instruct: (device) => ({ kind: "fit", parameters, config: fitConfig(recipeFor(of, round, device)) }),
    aggregation,
    stop: study.stop,
    ports,
    control,
  });
  const finished = await drive(aggregation.finish());
  const failures: Failure[] = [...fit.failures];
  if (finished.ok) {
    const names = travels.map(({ name }) => name);
    at.weights = merge(at.weights, names, finished.value.tensors);
    at.state = finished.value.state;
  } else {
    failures.push({ code: finished.failure.code, stage: "aggregate", cause: finished.failure.cause });
  }
  at.round = round;
  of.trainedNow = new Set(fit.updates.filter((u) => u.status === "folded").map((u) => u.device));
  await recordRound(
    of,
    {
      round,
      clients: [...of.trainedNow].sort(),
      drawn,
      failures,
      examples: fit.examples,
      startedAt: startedAtText,
      updates: fit.updates,
      ...(finished.ok && finished.value.notes !== undefined ? { notes: finished.value.notes } : {}),
    },
    startedAt,
  );
  const [blamed] = failures;
  if (blamed !== undefined) {
    of.lastFailure = `${blamed.device ? `${blamed.device}: ` : ""}${blamed.cause}`;
  }
};
