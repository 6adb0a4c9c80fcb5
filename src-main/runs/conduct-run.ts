import type { RoundResult } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { Recipe } from "#contract/jobs.ts";
import { deriveSeed } from "#main/federation/random.ts";
import { drawClients } from "#main/federation/sampling.ts";
import { runShouldStop } from "#main/federation/stop-rules.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { drive } from "./drive.ts";
import { evaluateRound, type FederatedEvaluation } from "./evaluate-round.ts";
import { fitRound } from "./fit-round.ts";
import { gatherClients } from "./gather-clients.ts";
import { evaluateConfig, fitConfig } from "./instructions.ts";
import { passGate } from "./pass-gate.ts";
import type { Control, RunPorts } from "./ports.ts";
import type { RunPlan } from "./run-plan.ts";
import { checkpointOf, findPosition, fruitlessRounds, keptFrom, merge, remembered } from "./run-position.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** A run gives up after so many rounds in a row in which no update could be used. */
const FRUITLESS_ROUNDS = 3;

export type RunOutcome =
  | { readonly status: "done"; readonly reason: string }
  | { readonly status: "failed"; readonly reason: string }
  | { readonly status: "interrupted"; readonly reason: string };

/**
 * Conducts one run (one algorithm, one seed) from where its record ends: round by round draw, instruct, fold,
 * checkpoint, evaluate, record. Killed at any instant, it goes on at the round after the last recorded one, from
 * the same weights, server state, draws and seeds.
 */
export const conductRun = async (plan: RunPlan, ports: RunPorts, control: Control): Promise<RunOutcome> => {
  const { study, run, algorithm, model } = plan;
  const travels = model.parameters.filter((spec) => !algorithm.keeps(spec));
  const keeps = model.parameters.filter((spec) => algorithm.keeps(spec)).map((s) => s.name);
  const travelling = new Set(travels.map((spec) => spec.name));
  // Of what is recorded only this is looked at again: a run may have very many rounds.
  const history = ports.history.rounds(run.id).map(remembered);
  const initSeed = deriveSeed(run.seed, "initial-weights");
  const at = await findPosition(plan, ports, initSeed);
  let lastFailure = "no device answered";
  let met = false;

  const recordRound = async (
    result: Omit<RoundResult, "weightsSha256" | "seconds" | "loss" | "accuracy" | "central">,
    startedAt: number,
  ) => {
    const sha = await ports.weightsSha256(at.weights);
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
    const federated = await federatedEvaluation();
    control.now.throwIfAborted();
    const complete: RoundResult = {
      ...result,
      ...(central === undefined ? {} : { central }),
      ...(federated?.mean ? { federated: federated.mean } : {}),
      loss: central?.loss ?? federated?.mean?.loss ?? null,
      accuracy: central?.accuracy ?? federated?.mean?.accuracy ?? null,
      evaluations: federated?.evaluations ?? [],
      failures: [...result.failures, ...(federated?.failures ?? [])],
      weightsSha256: sha,
      seconds: (ports.now() - startedAt) / 1000,
    };
    await ports.recordRound(run.id, complete, path);
    history.push(remembered(complete));
  };

  const federatedEvaluation = async (): Promise<FederatedEvaluation | undefined> => {
    if (!study.evaluation.federated || at.round === 0) return undefined;
    const known = new Set(plan.roster);
    const sessions = ports.clients.sessions().filter((s) => known.has(s.device) && !s.busy);
    const parameters = prepareParameters(at.weights.filter((t) => travelling.has(t.name)));
    return await evaluateRound({
      run: run.id,
      round: at.round,
      sessions,
      instruct: (device) => ({
        kind: "evaluate",
        parameters,
        config: evaluateConfig(
          {
            round: at.round,
            run: run.id,
            model: model.name,
            numClasses: model.numClasses,
            feature: algorithm.feature,
            keeps,
            keptFrom: keeps.length > 0 ? keptFrom(history, device, at.round + 1, trainedNow) : 0,
            initSeed,
          },
          study.batchSize,
        ),
      }),
      deadlineSeconds: study.stop.deadlineSeconds,
      ports,
      control,
    });
  };
  let trainedNow: ReadonlySet<string> = new Set();

  if (history.length === 0) {
    const startedAt = ports.now();
    await recordRound(
      {
        round: 0,
        clients: [],
        drawn: [],
        failures: [],
        examples: 0,
        startedAt: ports.timestamp(),
        updates: [],
        evaluations: [],
      },
      startedAt,
    );
  }

  for (;;) {
    if (fruitlessRounds(history) >= FRUITLESS_ROUNDS) {
      return {
        status: "failed",
        reason: `no update could be used in ${FRUITLESS_ROUNDS} rounds in a row; the last failure: ${lastFailure}`,
      };
    }
    const verdict = runShouldStop({ rounds: history.filter((r) => r.round > 0), stop: study.stop });
    if (verdict.stop) return { status: "done", reason: verdict.reason ?? "a stop rule was met" };
    if (at.round >= study.rounds) return { status: "done", reason: `all ${study.rounds} rounds are done` };
    await passGate(control);
    if (control.stopAfterRound) return { status: "interrupted", reason: "stopped after a round" };

    const round = at.round + 1;
    const sessions = await gatherClients({
      run: run.id,
      round,
      roster: plan.roster,
      hosted: plan.hosted,
      sampling: study.sampling,
      met,
      ports,
      control,
    });
    if (sessions.length === 0 && control.gate?.closed && !control.stopAfterRound) continue;
    if (sessions.length === 0)
      return { status: "interrupted", reason: "stopped while it waited for devices" };
    met = true;
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
    const global = at.weights.filter((t) => travelling.has(t.name));
    // Encoded once: the same bytes go to every device, only the configuration differs.
    const parameters = prepareParameters(global);
    const aggregation = algorithm.strategy.begin({ specs: travels, global, state: at.state });
    const { kind, momentum, nesterov, weightDecay } = study.optimizer;
    const instruct = (device: string): OutgoingMessage => {
      const recipe: Recipe = {
        round,
        run: run.id,
        model: model.name,
        numClasses: model.numClasses,
        localEpochs: study.localEpochs,
        batchSize: study.batchSize,
        optimizer: {
          kind,
          momentum,
          nesterov,
          weightDecay,
          lr: study.optimizer.lr * study.optimizer.lrDecay ** (round - 1),
        },
        loss: algorithm.loss,
        feature: algorithm.feature,
        seed: deriveSeed(run.seed, "batches", round, device),
        keeps,
        keptFrom: keeps.length > 0 ? keptFrom(history, device, round) : 0,
        initSeed,
      };
      return { kind: "fit", parameters, config: fitConfig(recipe) };
    };
    const fit = await fitRound({
      run: run.id,
      round,
      sessions: sessions.filter((s) => chosen.has(s.device)),
      instruct,
      aggregation,
      stop: study.stop,
      ports,
      control,
    });
    const finished = await drive(aggregation.finish());
    const failures: Failure[] = [...fit.failures];
    if (finished.ok) {
      at.weights = merge(
        at.weights,
        travels.map((s) => s.name),
        finished.value.tensors,
      );
      at.state = finished.value.state;
    } else {
      failures.push({ code: finished.failure.code, stage: "aggregate", cause: finished.failure.cause });
    }
    at.round = round;
    trainedNow = new Set(fit.updates.filter((u) => u.status === "folded").map((u) => u.device));
    await recordRound(
      {
        round,
        clients: [...trainedNow].sort(),
        drawn,
        failures,
        examples: fit.examples,
        startedAt: startedAtText,
        updates: fit.updates,
        evaluations: [],
      },
      startedAt,
    );
    const blamed = failures[0];
    if (blamed !== undefined) lastFailure = `${blamed.device ? `${blamed.device}: ` : ""}${blamed.cause}`;
  }
};
