import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { type EngineInfo, type FeatureSettings, MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import { conductStudy, type StudyStatus, whyStopped } from "./conduct-study.ts";
import type { Equipment, LabPorts, StoredStudy } from "./lab-ports.ts";
import { modelFromClient } from "./model-from-client.ts";
import { openStudy, planRuns, problemsWithBoards } from "./open-study.ts";
import type { Control, Model } from "./ports.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface Runs {
  /**
   * Checks a study against its data and records it with its partition and runs. Nothing trains yet.
   * @returns its id, or the problems by field, for example a missing data set.
   */
  open(study: Study): Promise<{ ok: true; id: string } | { ok: false; problems: StudyProblem[] }>;
  /**
   * Conducts a recorded study from where its record ends until it is done, has failed, or is stopped.
   * @throws UserError when there is no such study, or its equipment cannot be brought up.
   */
  conduct(id: string, control: Control, options?: ConductOptions): Promise<StudyStatus>;
}

export interface ConductOptions {
  /** Keeps a new study whose equipment cannot be brought up. Default: it is deleted, because nothing has started. */
  readonly keep?: boolean;
}

export const createRuns = (ports: LabPorts): Runs => {
  /** Opened by this process and not conducted yet. */
  const fresh = new Set<string>();
  return {
    async open(study) {
      const opened = await dealOut(ports, study);
      if (!opened.ok) return { ok: false, problems: [...opened.problems] };
      const id = ports.records.create({
        study,
        partition: opened.partition,
        classes: opened.classNames ?? [],
        datasetSha: opened.sha256,
        runs: planRuns(study),
        engine: await ports.engine(),
      });
      fresh.add(id);
      return { ok: true, id };
    },

    async conduct(id, person, { keep = false } = {}) {
      const stored = ports.records.get(id);
      if (stored === undefined) {
        throw new UserError(
          `there is no study ${id} in this data directory; fedfleet list shows the studies`,
        );
      }
      const { study } = stored;
      const numClasses = stored.classes.length;
      const resumed = stored.runs.some((run) => ports.run.history.last(run.id) !== undefined);
      const isFresh = fresh.delete(id);
      let ready: Awaited<ReturnType<typeof getReady>>;
      try {
        ready = await getReady(ports, stored, isFresh, person.now);
      } catch (error) {
        if (person.now.aborted) {
          const reason = whyStopped(person);
          ports.emit({ kind: "study-ended", study: id, status: "interrupted", reason });
          return "interrupted";
        }
        // A port in use, an invalid certificate: nothing has started, so there is nothing to resume.
        if (isFresh && !keep) ports.records.remove(id);
        throw error;
      }
      const { dataset, equipment } = ready;
      if (equipment.engine.note !== undefined) ports.say(equipment.engine.note);
      const control: Control = {
        afterRound: person.afterRound,
        now: AbortSignal.any([person.now, equipment.broken]),
        startWithout: person.startWithout,
        gate: person.gate,
      };
      try {
        if (resumed && !sameEngine(stored.engine, equipment.engine)) {
          ports.say(
            `this study started on ${engineName(stored.engine)} and continues on ${engineName(equipment.engine)}; the two differ in the last digits, so its curve differs from that of an uninterrupted run`,
          );
        }
        ports.records.setEngine(id, equipment.engine);
        const model = await modelOf(ports, stored, equipment, control);
        if (model === undefined) return "interrupted";
        const status = await conductStudy(
          {
            id,
            study,
            runs: stored.runs,
            model,
            engine: equipment.engine,
            resumed,
            onRunBegins: equipment.onRunBegins,
          },
          {
            ...ports.run,
            emit: ports.emit,
            clients: equipment.clients,
            evaluate: centralEvaluation(study, dataset, numClasses, equipment),
          },
          control,
        );
        if (equipment.broken.aborted) throw equipment.broken.reason;
        return status;
      } finally {
        await equipment.close(!control.now.aborted);
      }
    },
  };
};

/** The facts about the data that are recorded with a study, or its problems. */
type Opened =
  | {
      readonly ok: true;
      readonly partition: Partition | undefined;
      /** Both undefined where only clients hold data. */
      readonly classNames?: readonly string[];
      readonly sha256?: string;
    }
  | { readonly ok: false; readonly problems: readonly StudyProblem[] };

const dealOut = async (ports: LabPorts, study: Study): Promise<Opened> => {
  const unknown = problemsWithBoards(study, ports.isBoard);
  if (unknown.length > 0) return { ok: false, problems: unknown };
  if (study.dataset === "on-clients") return openStudy(study, undefined, ports.sha256);
  try {
    return await ports.datasets.partition(study, await ports.datasets.find(study.dataset));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, problems: [{ path: "dataset", message: error.message.replace(/^dataset: /, "") }] };
  }
};

const engineName = (engine: EngineInfo): string => `${engine.kind} (${engine.version})`;

const sameEngine = (a: EngineInfo, b: EngineInfo): boolean => a.kind === b.kind && a.version === b.version;

/** The data and the equipment of a study. @throws whatever prevents them, and when `now` aborts meanwhile. */
const getReady = async (
  ports: LabPorts,
  { id, study, partition, classes, datasetSha, runs }: StoredStudy,
  isFresh: boolean,
  now: AbortSignal,
): Promise<{ readonly dataset: DatasetLocation | undefined; readonly equipment: Equipment }> => {
  now.throwIfAborted();
  const dataset =
    study.dataset === "on-clients" ? undefined : await unlessAborted(ports.datasets.find(study.dataset), now);
  if (!isFresh && dataset !== undefined && datasetSha !== undefined) {
    await unlessAborted(sameData(ports, dataset, datasetSha), now);
  }
  // Awaited even when the study is stopped: half-started equipment must be down before the next study starts.
  const equipment = await ports.equip({
    id,
    study,
    dataset,
    partition,
    numClasses: classes.length,
    firstRun: (runs.find(({ status }) => status !== "done" && status !== "failed") ?? runs.at(-1))?.id ?? id,
    signal: now,
  });
  return { dataset, equipment };
};

/** A run must continue on the same images that it started with. */
const sameData = async (ports: LabPorts, location: DatasetLocation, sha256: string): Promise<void> => {
  const { sha256: now } = await ports.datasets.labels(location);
  if (now === sha256) return;
  throw new UserError(
    `dataset: ${location.name} in ${location.path} is no longer the data that this study started with (its SHA-256 is ${now}, not ${sha256}). Restore it, or start the study again as a new one.`,
  );
};

const isBuiltIn = (name: string): name is ModelName => (MODEL_NAMES as readonly string[]).includes(name);

const centralEvaluation = (
  study: Study,
  dataset: DatasetLocation | undefined,
  numClasses: number,
  equipment: Equipment,
) => {
  const { model } = study;
  if (!study.evaluation.central || dataset === undefined || !isBuiltIn(model)) return undefined;
  return (checkpoint: string, feature: FeatureSettings) =>
    equipment.evaluate({ task: study.task, checkpoint, model, numClasses, feature, dataset });
};

const modelOf = async (
  ports: LabPorts,
  stored: StoredStudy,
  equipment: Equipment,
  control: Control,
): Promise<Model | undefined> => {
  const { study } = stored;
  if (!isBuiltIn(study.model)) return await modelFromClient({ ports, stored, equipment, control });
  const name = study.model;
  // The lab does not know the classes of data that clients bring: Net was made for ten.
  const numClasses = stored.classes.length || 10;
  return {
    name,
    numClasses,
    parameters: ports.models.parameters(name, numClasses),
    initialWeights: (seed) => ports.models.initialWeights(name, numClasses, seed),
  };
};
