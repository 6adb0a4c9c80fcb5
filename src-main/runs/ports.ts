import type { LabEventBody, RoundResult, TrainingProgress } from "#contract/events.ts";
import type { Result } from "#contract/failure.ts";
import type { Evaluation, FeatureSettings } from "#contract/jobs.ts";
import type { NamedTensor, ParameterSpec } from "#contract/tensor.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { ClientMessage } from "#main/wire/protocol.ts";
import type { UserRequest } from "./user-request.ts";

/** What a device answered. Its tensors may be views of one large buffer: `release` frees that buffer. */
export interface DeviceReply {
  readonly message: ClientMessage;
  readonly bytesUp: number;
  release(): void;
}

/** One connected device. Strict ping-pong: one request at a time. */
export interface DeviceSession {
  readonly device: string;
  readonly busy: boolean;
  request(
    message: OutgoingMessage,
    hooks?: { onSent?: (bytes: number) => void; onUpload?: (announcedBytes: number) => void },
  ): Promise<Result<DeviceReply>>;
}

/** The connected devices. */
export interface Clients {
  sessions(): readonly DeviceSession[];
  /** Called when a session opens, closes or becomes idle. */
  onChange(listener: () => void): () => void;
  /** Called when a device reports how far its training is; not all of them do. @returns unsubscribes */
  onTraining(listener: (progress: TrainingProgress) => void): () => void;
}

/** Weights between rounds. */
export interface Checkpoints {
  write(
    runId: string,
    round: number,
    tensors: readonly NamedTensor[],
    metadata: Readonly<Record<string, string>>,
  ): Promise<string>;
  read(
    path: string,
  ): Promise<{ tensors: readonly NamedTensor[]; metadata: Readonly<Record<string, string>> }>;
}

/** The part of its finished rounds that a run still needs. */
export type RememberedRound = Pick<RoundResult, "round" | "clients" | "metrics">;

/** The recorded rounds of a run. */
export interface History {
  rounds(runId: string): readonly RememberedRound[];
  /** The last recorded round and its checkpoint file, without reading the others. */
  last(runId: string): { readonly round: number; readonly checkpoint: string } | undefined;
}

/** The model of a run: its parameter list and its seeded initial weights. */
export interface Model {
  readonly name: string;
  readonly numClasses: number;
  readonly parameters: readonly ParameterSpec[];
  initialWeights(seed: number): readonly NamedTensor[];
}

export interface RunPorts {
  readonly clients: Clients;
  readonly checkpoints: Checkpoints;
  readonly history: History;
  /**
   * Central evaluation of a checkpoint on the whole test set, with the feature as the run's algorithm trains it;
   * undefined where the study has none.
   */
  readonly evaluate: ((checkpoint: string, feature: FeatureSettings) => Promise<Evaluation>) | undefined;
  /** SHA-256 (hex) over the tensors' bytes in order. */
  readonly weightsSha256: (tensors: readonly NamedTensor[]) => Promise<string>;
  readonly emit: (event: LabEventBody) => void;
  /**
   * Records a finished round in one transaction, after its checkpoint is safely on disk, and publishes the
   * `round-ended` event.
   */
  readonly recordRound: (runId: string, result: RoundResult, checkpoint: string) => Promise<void> | void;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** The wall clock, ISO 8601 UTC. */
  readonly timestamp: () => string;
}

/** Where a study waits while it is paused. */
export interface Gate {
  /** While true, whatever waits for devices should return and wait here instead. */
  readonly isClosed: boolean;
  /** Called when it closes. @returns unsubscribes */
  onClose(listener: () => void): () => void;
  /** Passed before each run and each round; resolves at once unless the study is paused. */
  pass(): Promise<void>;
}

/** How a person stops and pauses a study, or starts a round without the missing devices. */
export interface Control {
  /** Aborted by the first Ctrl-C: the study finishes the round in progress, then stops. */
  readonly afterRound: AbortSignal;
  /** Aborted by the second: nothing more is recorded. */
  readonly now: AbortSignal;
  /** Starts the round with the connected devices instead of waiting for the others. */
  readonly startWithout?: UserRequest | undefined;
  /** Undefined where the study cannot be paused. */
  readonly gate?: Gate | undefined;
}
