import type { LabEventBody, RoundResult, TrainingProgress } from "#contract/events.ts";
import type { Result } from "#contract/failure.ts";
import type { Evaluation, FeatureSettings } from "#contract/jobs.ts";
import type { NamedTensor, ParameterSpec } from "#contract/tensor.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { ClientMessage } from "#main/wire/protocol.ts";
import type { UserRequest } from "./user-request.ts";

/** What a device answered. Its tensors may be views of one large buffer: `release` gives that buffer back. */
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

/** The devices that are connected now. */
export interface Clients {
  sessions(): readonly DeviceSession[];
  /** Called when a session came, went, or became idle. */
  onChange(listener: () => void): () => void;
  /** Called when a device that this computer can hear tells how far its training is. @returns unsubscribes */
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

/** What a run looks at again of its finished rounds. */
export type RememberedRound = Pick<RoundResult, "round" | "clients" | "metrics">;

/** What is already recorded of a run. */
export interface History {
  rounds(runId: string): readonly RememberedRound[];
  /** The last recorded round and its checkpoint file, without reading the others. */
  last(runId: string): { readonly round: number; readonly checkpoint: string } | undefined;
}

/** What a run needs of the model: its parameter list and its seeded first weights. */
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
   * Central evaluation of a checkpoint on the whole test set, its head seeing the feature as the run's algorithm says;
   * undefined where the study has none.
   */
  readonly evaluate: ((checkpoint: string, feature: FeatureSettings) => Promise<Evaluation>) | undefined;
  /** SHA-256 (hex) over the tensors' bytes in order. */
  readonly weightsSha256: (tensors: readonly NamedTensor[]) => Promise<string>;
  readonly emit: (event: LabEventBody) => void;
  /**
   * Records a finished round: one transaction, after its checkpoint is safely on disk. It also puts the
   * `round-ended` event into the stream.
   */
  readonly recordRound: (runId: string, result: RoundResult, checkpoint: string) => Promise<void> | void;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** The wall clock, ISO 8601 UTC. */
  readonly timestamp: () => string;
}

/** Where a study waits while a person has paused it. */
export interface Gate {
  /** What waits for something else should come and wait here instead. */
  readonly isClosed: boolean;
  /** Called when it closes. @returns unsubscribes */
  onClose(listener: () => void): () => void;
  /** Passed before each run and each round; resolves at once unless the study is paused. */
  pass(): Promise<void>;
}

/** How a person stops, pauses and hurries a study. */
export interface Control {
  /** Aborted by the first Ctrl-C: the round in progress is finished, then the study stops. */
  readonly afterRound: AbortSignal;
  /** Aborted by the second: nothing more is recorded. */
  readonly now: AbortSignal;
  /** To start the round with the devices that are there instead of waiting for the others. */
  readonly startWithout?: UserRequest | undefined;
  /** Undefined where nobody can pause. */
  readonly gate?: Gate | undefined;
}
