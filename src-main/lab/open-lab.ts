import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { toAlgorithmName } from "#contract/algorithms/algorithms.ts";
import type { LabEvent, LabEventBody, RoundResult, RoundSummary } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import { createBoards } from "#main/boards/boards.ts";
import { createDataWorker } from "#main/datasets/data-worker.ts";
import { createCatalogue } from "#main/datasets/datasets.ts";
import { createEvaluator } from "#main/learning/evaluator.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { createRuns } from "#main/runs/runs.ts";
import { weightsSha256 } from "#main/store/safetensors.ts";
import { openStore } from "#main/store/store.ts";
import { equip } from "./crews/equip.ts";
import { DEFAULT_LISTEN } from "./crews/external.ts";
import type { LabOptions } from "./lab-options.ts";
import { createReportProcess } from "./report-process.ts";

export type Lab = ReturnType<typeof openLab>;

/** Events that are shown live and not recorded: they come many times a second. */
const LIVE_ONLY: ReadonlySet<LabEvent["kind"]> = new Set(["client-progress", "waiting"]);

/** An event that a listener causes is published after the one it heard, so all listeners see the same order. */
const inOrder = <A extends unknown[]>(tell: (...args: A) => void): ((...args: A) => void) => {
  const untold: A[] = [];
  let telling = false;
  return (...args) => {
    untold.push(args);
    if (telling) return;
    telling = true;
    try {
      for (let next = untold.shift(); next !== undefined; next = untold.shift()) tell(...next);
    } finally {
      telling = false;
    }
  };
};

const openStoreReadOnlyIfLocked = ({ dataDir, onProgress, look }: LabOptions) => {
  const settings = { dataDir, ...(onProgress === undefined ? {} : { onProgress }) };
  try {
    return openStore(settings);
  } catch (error) {
    if (!look || !(error instanceof UserError) || !existsSync(join(dataDir, "fedfleet.db"))) throw error;
    return openStore({ ...settings, look: true });
  }
};

/** Updates and evaluations were published one by one; the record of the round has them. */
const summaryOf = ({ updates: _, evaluations: __, ...summary }: RoundResult): RoundSummary => summary;

/**
 * Builds the rooms and wires them: the engine room that the desktop, the browser host and the command line share.
 * @throws UserError when another process holds the data directory, or it may not be written.
 */
export const openLab = (options: LabOptions) => {
  const store = openStoreReadOnlyIfLocked(options);
  const listeners = new Set<(event: LabEvent, id?: number) => void>();
  const hearers = new Set<(message: string) => void>();
  let closed = false;
  const say = (message: string): void => {
    options.onProgress?.(message);
    for (const hearer of hearers) hearer(message);
  };
  const publish = inOrder((event: LabEvent, id?: number) => {
    for (const listener of listeners) {
      try {
        listener(event, id);
      } catch (error) {
        // A listener must not be able to end the study that it watches.
        process.stderr.write(`a listener failed on ${event.kind}: ${(error as Error).stack ?? error}\n`);
      }
    }
  });
  // Events come from streams and timers, where an error of the disk would not be caught: it ends the study instead.
  let unrecorded = new AbortController();
  const emit = (body: LabEventBody): void => {
    if (closed) return;
    const event = { at: new Date().toISOString(), ...body } as LabEvent;
    let id: number | undefined;
    try {
      if (!LIVE_ONLY.has(event.kind)) id = store.record(event);
    } catch (error) {
      const why = `the study cannot be recorded in ${store.dataDir}: ${(error as Error).message}`;
      unrecorded.abort(new UserError(why, { exitCode: 1, cause: error }));
    }
    publish(event, id);
  };
  const dataWorker = createDataWorker({ fork: options.fork, entry: options.entries.data });
  const reports = createReportProcess({
    fork: options.fork,
    entry: options.entries.report,
    dataDir: store.dataDir,
  });
  const catalogue = createCatalogue({
    resourcesDir: options.resourcesDir,
    dataDir: store.dataDir,
    registry: store.datasets,
    examine: dataWorker.examine,
  });
  const onBug = (error: unknown): void => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  };
  const boards = createBoards({
    dataDir: store.dataDir,
    deviceScripts: options.deviceScriptsDir ?? join(options.resourcesDir, "..", "device-scripts"),
    labId: store.labId,
    records: store.boards,
    log: store.boardLog,
    drops: store.boards.drops,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    emit: (body) => emit(body),
    onBug,
  });
  let evaluator: ReturnType<typeof createEvaluator> | undefined;
  const openEvaluator = () => {
    evaluator ??= createEvaluator({ fork: options.fork, entry: options.entries.evaluation });
    return evaluator;
  };

  const runs = createRuns({
    datasets: {
      find: (name) => catalogue.find(name),
      labels: dataWorker.labels,
      partition: dataWorker.partition,
    },
    isBoard: boards.has,
    models: { parameters: modelParameters, initialWeights },
    records: {
      create: ({ study, partition, classes, datasetSha, runs: planned, engine }) =>
        store.studies.create({
          study,
          partition,
          classes,
          datasetSha,
          runs: planned,
          engine,
        }).id,
      setEngine: store.studies.setEngine,
      remove: store.studies.remove,
      get(id) {
        const found = store.studies.get(id);
        if (found === undefined) return undefined;
        return {
          ...found,
          runs: found.runs.map((run) => ({ ...run, algorithm: toAlgorithmName(run.algorithm) })),
        };
      },
    },
    initial: {
      async read(study) {
        const kept = store.checkpoints.get(study, 0);
        return kept === undefined ? undefined : (await store.checkpoints.read(kept.path)).tensors;
      },
      async write(study, tensors) {
        await store.checkpoints.write(study, 0, tensors, { study });
      },
    },
    engine: () => openEvaluator().engine(),
    equip: (input) => {
      // a recording failure of one study does not affect the next
      unrecorded = new AbortController();
      return equip({
        ...input,
        options: { ...options, onProgress: say },
        emit,
        unrecorded: unrecorded.signal,
        evaluator: openEvaluator(),
        boards,
        part: dataWorker.part,
        dataDir: store.dataDir,
        runsThatAreOver: () =>
          store.runs
            .of(input.id)
            .filter(({ status }) => status === "done" || status === "failed")
            .map((run) => run.id),
      });
    },
    run: {
      checkpoints: store.checkpoints,
      history: {
        rounds: store.rounds.remembered,
        last(run) {
          const found = store.rounds.last(run);
          return found && { round: found.round, checkpoint: found.checkpoint.path };
        },
      },
      weightsSha256,
      async recordRound(run, result, checkpoint) {
        const at = new Date().toISOString();
        const id = store.recordRound({ run, result, checkpoint, at });
        publish({ at, kind: "round-ended", run, result: summaryOf(result) }, id);
        const study = store.studyRows.get(store.runs.get(run)?.study ?? "")?.study;
        await store.checkpoints.prune(run, study === undefined ? [] : metricsOf(study));
      },
      now: () => performance.now(),
      timestamp: () => new Date().toISOString(),
    },
    emit,
    say,
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  });

  return {
    runs,
    store,
    catalogue,
    dataWorker,
    reports,
    boards,
    /** Where a study with foreign clients expects them. */
    listen: options.listen ?? DEFAULT_LISTEN,
    emit,
    /** Listeners get each event, and its number where it was recorded, in order. */
    subscribe: (listener: (event: LabEvent, id?: number) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Sentences for people who watch: what the lab does, and what they should know about it. */
    onSaid: (hearer: (message: string) => void): (() => void) => {
      hearers.add(hearer);
      return () => hearers.delete(hearer);
    },
    async close(): Promise<void> {
      await boards.close();
      closed = true;
      await Promise.all([evaluator?.close(), dataWorker.close(), reports.close()]);
      store.close();
    },
  };
};
