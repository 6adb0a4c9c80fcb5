import type { DatasetLocation } from "#contract/dataset.ts";
import type { Emit, TrainingProgress } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import type { Aggregator } from "#main/aggregator/aggregator.ts";
import type { Boards } from "#main/boards/boards.ts";
import type { DataWorker } from "#main/datasets/data-worker.ts";
import type { LabOptions } from "#main/lab/lab-options.ts";
import type { Shares } from "./shares.ts";

/** What a crew needs to be brought up for a study. */
export interface CrewInput {
  readonly id: string;
  readonly study: Study;
  readonly numClasses: number;
  /** Undefined where only clients hold data. */
  readonly data: { readonly location: DatasetLocation; readonly shares: Shares } | undefined;
  /** The run that comes first. */
  readonly firstRun: string;
  /** It may listen already; whoever brings a crew up makes it listen where the crew needs it. */
  readonly aggregator: Aggregator;
  readonly options: LabOptions;
  readonly dataDir: string;
  readonly boards: Pick<Boards, "engage">;
  /** Writes a device's part of the data into files. */
  readonly part: DataWorker["part"];
  readonly emit: Emit;
  /** Hears how far each training is. */
  readonly onTraining: (progress: TrainingProgress) => void;
  readonly say: (message: string) => void;
  /** The crew is gone for good. */
  readonly onGivenUp: (error: Error) => void;
  /** Aborted when a person stops the study: nothing more is brought up. */
  readonly signal: AbortSignal;
}

/** One kind of device, brought up for a study. */
export interface Crew {
  /** Why a device's connection ended, where the crew knows better than the wire. */
  explain?(failure: Failure): Promise<Failure>;
  onRunBegins?(run: string): void;
  /** What its devices compute with, where this computer decides it. */
  readonly engine?: EngineInfo;
  /**
   * Takes it down. Never rejects.
   * @param politely its devices may finish what they do
   * @param sentAway resolves when the server has sent the clients away; at once where nobody is polite
   */
  stop(politely: boolean, sentAway: Promise<void>): Promise<void>;
}

/**
 * Brings one kind of device up.
 * @returns undefined where the study has none of the kind
 * @throws UserError when that cannot be; what is half up is down again by then
 */
export type BringUp = (input: CrewInput) => Promise<Crew | undefined>;
