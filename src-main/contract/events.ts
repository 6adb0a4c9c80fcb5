import type { BoardProblem, BoardState } from "./boards.ts";
import type { Failure } from "./failure.ts";
import type { CrewKind } from "./fleet.ts";
import type { EngineInfo, Evaluation } from "./jobs.ts";
import type { MetricValues } from "./metrics.ts";

/** How one device spent a round, in milliseconds; undefined where the device did not get that far. */
export interface ClientTiming {
  /** From the round's start until the weights were sent. */
  readonly downloadMs?: number;
  readonly computeMs?: number;
  readonly uploadMs?: number;
  /** From the arrival of its update until the round closed. */
  readonly waitMs?: number;
}

/** How far a device is with its local training of a round, as it tells beside the wire. */
export interface TrainingProgress {
  readonly device: string;
  readonly run: string;
  readonly round: number;
  /** 0 to 1. */
  readonly fraction: number;
}

export interface ClientUpdate {
  readonly device: string;
  readonly status: "folded" | "refused" | "failed" | "late";
  readonly examples?: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly timing: ClientTiming;
  readonly metrics: Readonly<Record<string, number | string | boolean>>;
  readonly failure?: Failure;
}

export interface ClientEvaluation {
  readonly device: string;
  readonly examples: number;
  /** What it measured, and what it reported besides under names of its own: finite numbers in their range. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A value that a client reported and that cannot be a metric. */
export interface RefusedMetric {
  readonly device: string;
  readonly name: string;
  /** One sentence, without the device's and the metric's name. */
  readonly cause: string;
}

/** The whole record of a finished round. Round 0 is the evaluation of the initial weights. */
export interface RoundResult {
  readonly round: number;
  /** By metric: central evaluation where the study has one, else the devices' examples-weighted mean. */
  readonly metrics: MetricValues;
  readonly central?: Evaluation;
  /** Means over the devices that evaluated, weighted by their examples. */
  readonly federated?: { readonly metrics: MetricValues; readonly examples: number };
  /** Devices whose update was aggregated, sorted. */
  readonly clients: readonly string[];
  /** Devices that were drawn, sorted. */
  readonly drawn: readonly string[];
  readonly failures: readonly Failure[];
  /** Examples behind the aggregated updates. */
  readonly examples: number;
  /** SHA-256 (hex) over the aggregated tensors' bytes, in order. */
  readonly weightsSha256: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly updates: readonly ClientUpdate[];
  readonly evaluations: readonly ClientEvaluation[];
  /**
   * Numbers of the server's step that a person may want to see, by name; FedExP: `serverStep`. Records of earlier
   * versions and of strategies without such numbers lack it.
   */
  readonly notes?: Readonly<Record<string, number>>;
}

/** A round as pages and terminals get it: its updates came one by one, as they arrived. */
export type RoundSummary = Omit<RoundResult, "updates" | "evaluations">;

export type RunStatus = "waiting" | "running" | "interrupted" | "done" | "failed";

/** The one stream that people watch and the store records. `at` is an ISO 8601 time in UTC. */
export type LabEvent = { readonly at: string } & (
  | {
      readonly kind: "study-started";
      readonly study: string;
      readonly name: string;
      readonly runs: number;
      readonly engine: EngineInfo;
    }
  | { readonly kind: "study-resumed"; readonly study: string; readonly name: string }
  | {
      readonly kind: "study-ended";
      readonly study: string;
      readonly status: "done" | "failed" | "interrupted";
      /** Why it did not finish. */
      readonly reason?: string;
    }
  /** Its devices stay connected and wait. */
  | { readonly kind: "study-paused"; readonly study: string }
  | { readonly kind: "study-continued"; readonly study: string }
  | {
      readonly kind: "run-started";
      readonly study: string;
      readonly run: string;
      readonly algorithm: string;
      readonly trial: number;
      readonly rounds: number;
      readonly fromRound: number;
    }
  | {
      readonly kind: "run-ended";
      readonly study: string;
      readonly run: string;
      readonly status: RunStatus;
      readonly reason: string;
    }
  | {
      readonly kind: "round-started";
      readonly run: string;
      readonly round: number;
      readonly drawn: readonly string[];
    }
  | {
      readonly kind: "client-progress";
      readonly run: string;
      readonly round: number;
      readonly device: string;
      readonly phase: "sent" | "training" | "uploading";
      readonly fraction?: number;
    }
  | {
      readonly kind: "client-update";
      readonly run: string;
      readonly round: number;
      readonly update: ClientUpdate;
    }
  | { readonly kind: "round-ended"; readonly run: string; readonly result: RoundSummary }
  /** A client reported something that is no metric: told once per run, device and name. */
  | ({ readonly kind: "metric-refused"; readonly run: string; readonly round: number } & RefusedMetric)
  | {
      readonly kind: "waiting";
      readonly run: string;
      readonly round: number;
      /** "joining": a round cannot begin yet; "answering": devices of a round have not answered yet. */
      readonly stage: "joining" | "answering";
      readonly for: string;
      readonly sinceMs: number;
      readonly next: string;
    }
  | {
      readonly kind: "device-joined";
      readonly device: string;
      /** From how it joined; events of earlier versions lack it. */
      readonly crew?: CrewKind;
      readonly dialect: string;
      readonly address: string;
    }
  | { readonly kind: "device-left"; readonly device: string; readonly reason: string }
  | { readonly kind: "device-refused"; readonly address: string; readonly failure: Failure }
  /** The lab's connection to a board is another. */
  | {
      readonly kind: "board-state";
      readonly device: string;
      readonly state: BoardState;
      readonly problem?: BoardProblem;
    }
  /** What became of the client's container on a board. */
  | {
      readonly kind: "board-client";
      readonly device: string;
      readonly study: string;
      readonly run: string;
      readonly state: "launched" | "ended" | "removed";
      readonly exitCode?: number;
      readonly problem?: BoardProblem;
    }
);

/** The event without its time: what a room hands to the stream, which stamps it. */
export type LabEventBody = LabEvent extends infer E
  ? E extends { at: string }
    ? Omit<E, "at">
    : never
  : never;
export type Emit = (event: LabEventBody) => void;
