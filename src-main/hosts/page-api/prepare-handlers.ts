import type { BoardSummary } from "#contract/boards.ts";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { virtualNames, withHolders } from "#contract/fleet.ts";
import type { EngineInfo, ModelName } from "#contract/jobs.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { ParameterSpec } from "#contract/tensor.ts";
import type { Activity, EngineView, Preparation, ReadyCheck } from "#contract/views.ts";
import { page } from "./base.ts";
import { datasetView, type Entry, plainProblem } from "./dataset-view.ts";
import { readLeniently } from "./lenient-study.ts";
import {
  boardChecks,
  checkpointBytes,
  dataChecks,
  deviceChecks,
  diskCheck,
  engineCheck,
  memoryCheck,
  queueCheck,
} from "./ready-checks.ts";
import { clientsPerRound, isBuiltIn, type MeasuredRound, modelBytes, studyCost } from "./study-cost.ts";
import { mendable } from "./study-mends.ts";

/** A heat map of more devices is unreadable, and slow to send. */
const MOST_PREVIEWED = 1000;

/** Which device would hold how many samples of which class. */
export type Dealing = { readonly classes: readonly string[]; readonly samples: number } & (
  | { readonly ok: true; readonly histogram: readonly (readonly number[])[]; readonly sha256: string }
  | { readonly ok: false; readonly problems: readonly StudyProblem[] }
);

export interface PreparePorts {
  readonly catalogue: {
    look(name: string): Promise<Entry | undefined>;
    find(name: string): Promise<DatasetLocation>;
  };
  isRegistered(dataset: string): boolean;
  /** Problems that no single field shows, and for which the data is not needed. */
  problems(study: Study): readonly StudyProblem[];
  /** The partition that the study would get. */
  deal(study: Study, location: DatasetLocation, asker?: AbortSignal): Promise<Dealing>;
  parameters(model: ModelName, classes: number): readonly ParameterSpec[];
  /** Worker processes for this many devices, given the memory. */
  workers(model: ModelName, devices: number, memoryBytes: number): number;
  workerBytes(model: ModelName): number;
  readonly cores: number;
  freeMemory(): number;
  freeDisk(): Promise<number>;
  readonly dataDir: string;
  /** Undefined where there is no such board. */
  board(name: string): BoardSummary | undefined;
  /** Where external clients connect. */
  readonly listen: { readonly host: string; readonly port: number };
  engines(): readonly EngineView[] | undefined;
  activity(): Activity;
  nameOf(study: string): string;
  history(model: ModelName, engine: EngineInfo["kind"]): readonly MeasuredRound[];
}

export const prepareHandlers = (ports: PreparePorts) => ({
  prepare: page.studies.prepare.handler(({ input, signal }) => prepareStudy(ports, input.study, signal)),
});

/** Checks a study, which may be half written, and estimates what it would need. Records nothing. */
const prepareStudy = async (
  ports: PreparePorts,
  input: unknown,
  asker?: AbortSignal,
): Promise<Preparation> => {
  const read = readLeniently(input);
  const { study, doubtful } = read;
  const queue = queueCheck(ports.activity(), ports.nameOf);
  if (study === undefined) return { problems: read.problems, checks: [queue] };
  const isSure = (...settings: string[]) => !settings.some((name) => doubtful.has(name));

  const beforeData = read.problems.length > 0 ? [] : ports.problems(study);
  const dealsSurely = isSure("dataset", "fleet", "partition", "seed") && beforeData.length === 0;
  const data = isSure("dataset") ? await lookAtData(ports, study, dealsSurely, asker) : NO_DATA;
  const dealing = data.dealing;
  const problems = [
    ...read.problems,
    ...beforeData,
    ...data.problems,
    ...(dealing?.ok === false ? dealing.problems : []),
  ];
  const facts = dealing && { samples: dealing.samples, classes: dealing.classes.length };
  const checks: ReadyCheck[] = [...data.checks, ...mendable(problems, input, study, facts)];

  const devices = virtualNames(study.fleet).length;
  const free = ports.freeMemory();
  const model = isBuiltIn(study.model) && isSure("model") ? study.model : undefined;
  const workers = model === undefined ? 1 : ports.workers(model, devices, free);
  if (isSure("fleet"))
    checks.push(...deviceChecks(study, workers, ports.listen), ...boardChecks(study, ports.board));
  const engines = ports.engines();
  checks.push(...engineCheck(study, engines));

  const parameters = model && ports.parameters(model, dealing?.classes.length || 10);
  if (
    model !== undefined &&
    parameters !== undefined &&
    isSure("fleet", "algorithms", "trials", "sampling")
  ) {
    const bytes = modelBytes(parameters);
    checks.push(
      ...memoryCheck(study, {
        workers,
        wantedWorkers: ports.workers(model, devices, Number.POSITIVE_INFINITY),
        workerBytes: ports.workerBytes(model),
        modelBytes: bytes,
        clientsPerRound: clientsPerRound(study),
        freeBytes: free,
      }),
      diskCheck(checkpointBytes(study, bytes), await ports.freeDisk(), ports.dataDir),
    );
  }
  checks.push(queue);

  const engine = engines?.find(({ chosen }) => chosen)?.kind;
  const sized = isSure("fleet", "algorithms", "trials", "sampling", "rounds", "localEpochs");
  const dealt = dealing?.ok === true ? withHolders(study.fleet, dealing) : undefined;
  const holders = dealt?.devices.length ?? 0;
  const preview = holders > 0 && holders <= MOST_PREVIEWED ? dealt : undefined;
  return {
    problems,
    checks,
    ...(preview === undefined
      ? {}
      : {
          preview: {
            devices: preview.devices,
            classes: preview.classes,
            histogram: preview.histogram,
            sha256: preview.sha256,
          },
        }),
    ...(model === undefined || parameters === undefined || !sized
      ? {}
      : {
          cost: studyCost(study, {
            parameters,
            engine,
            examples: dealing?.ok === true ? total(dealing.histogram) : undefined,
            workers,
            cores: ports.cores,
            history: engine === undefined ? [] : ports.history(model, engine),
          }),
        }),
  };
};

const total = (histogram: readonly (readonly number[])[]): number =>
  histogram.reduce((sum, row) => row.reduce((part, n) => part + n, sum), 0);

interface DataFound {
  readonly checks: readonly ReadyCheck[];
  readonly problems: readonly StudyProblem[];
  readonly dealing?: Dealing;
}

const NO_DATA: DataFound = { checks: [], problems: [] };

const lookAtData = async (
  ports: PreparePorts,
  study: Study,
  deals: boolean,
  asker?: AbortSignal,
): Promise<DataFound> => {
  const { dataset } = study;
  if (dataset === "on-clients") {
    return {
      checks: [{ kind: "data", state: "ok", text: "The clients bring their own data." }],
      problems: [],
    };
  }
  const entry = await ports.catalogue.look(dataset);
  const bundled = entry?.state === "ready" ? undefined : await ports.catalogue.look("fashion-mnist-sample");
  const view = entry && datasetView(entry, ports.isRegistered(dataset));
  const checks = dataChecks(dataset, view, bundled?.state === "ready");
  if (entry?.state !== "ready" || !deals) return { checks, problems: [] };
  try {
    const dealing = await ports.deal(study, await ports.catalogue.find(dataset), asker);
    return { checks, problems: [], dealing };
  } catch (error) {
    // the files' content is checked only now
    if (asker?.aborted || !(error instanceof UserError)) throw error;
    const text = plainProblem(error.message);
    const damaged = dataChecks(
      dataset,
      { ...entry, state: "damaged", problem: text, registered: false },
      true,
    );
    return { checks: damaged, problems: [] };
  }
};
