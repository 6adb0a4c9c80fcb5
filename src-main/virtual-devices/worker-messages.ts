import type { DatasetLocation } from "#contract/dataset.ts";
import type { EngineInfo, ModelName } from "#contract/jobs.ts";
import type { Dialect } from "#main/wire/protocol.ts";

/** How a virtual device misbehaves on purpose: its simulated faults. */
export interface FaultProfile {
  /** Times the work takes, by waiting; 1 is as fast as this computer. */
  readonly slowness: number;
  /** Probability, per round, that the device cuts its connection in the middle of its training. */
  readonly dropOut: number;
  /** Probability, per round, that the worker process under the device dies in the middle of its training. */
  readonly crash: number;
}

export interface VirtualDevice {
  readonly name: string;
  /** What the device names itself with when it joins. */
  readonly ticket: string;
  /** Samples of the training and of the test part that the device holds. */
  readonly trainIndices: readonly number[];
  readonly testIndices: readonly number[];
  readonly profile: FaultProfile;
}

/** Everything that the devices of one worker share. */
export interface FleetTask {
  readonly server: { readonly host: string; readonly port: number };
  /** Default `flwr`. */
  readonly dialect?: Dialect;
  readonly dataset: DatasetLocation;
  readonly model: ModelName;
  readonly numClasses: number;
  /** Folder for what devices keep between rounds. */
  readonly keptDir: string;
  /** The study's seed: simulated mishaps are drawn from it. */
  readonly seed: number;
}

/** From the fleet to a worker process. The first message hosts; index lists travel once per process. */
export type ToWorker =
  | {
      readonly kind: "host";
      readonly task: FleetTask;
      readonly devices: readonly VirtualDevice[];
      readonly threads: number;
    }
  | { readonly kind: "stop" };

/** From a worker process to the fleet. */
export type FromWorker =
  /** The data is loaded and the devices begin to join. */
  | { readonly kind: "hosting"; readonly engine: EngineInfo }
  /** A problem that a person must fix; a restart would not help. */
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "progress";
      readonly device: string;
      readonly run: string;
      readonly round: number;
      readonly fraction: number;
    }
  /** A training began that will end in a simulated mishap. */
  | { readonly kind: "fault-ahead"; readonly device: string; readonly fault: "drop" | "crash" }
  /** Answers to fit or evaluate have left the process: the worker works. */
  | { readonly kind: "answered" };

/** Exit code of a worker whose crash was simulated. */
export const SIMULATED_CRASH_CODE = 86;
