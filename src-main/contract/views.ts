import type { BoardLogLine, BoardSummary, StepView, TelemetryPoint } from "./boards.ts";
import type { LabEvent, RoundResult, RunStatus } from "./events.ts";
import type { Failure } from "./failure.ts";
import type { CrewKind, VirtualGroup } from "./fleet.ts";
import type { EngineInfo } from "./jobs.ts";
import type { Metric } from "./metrics.ts";
import type { Study, StudyProblem } from "./study.ts";

/** What a page reads of the lab. Times are ISO 8601 in UTC; a `cursor` is the number of the last recorded event. */

/** What the lab does right now. One study runs at a time; those started meanwhile are queued. */
export interface Activity {
  readonly study?: string;
  /**
   * "starting" until its equipment is up · "running" · "pausing" until the round in progress is over · "paused" with
   * its devices connected · "stopping-after-round" · "stopping-now"
   */
  readonly phase?: "starting" | "running" | "pausing" | "paused" | "stopping-after-round" | "stopping-now";
  /** Ids of the studies that wait, next first. */
  readonly queue: readonly string[];
}

export interface LabView {
  readonly version: string;
  readonly host: "desktop" | "browser";
  readonly platform: string;
  readonly nodeVersion: string;
  readonly dataDir: string;
  readonly startedAt: string;
  readonly pid: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** The engines that are there, best first: the first usable one trains. Undefined until they were looked at. */
  readonly engines?: readonly EngineView[];
  readonly activity: Activity;
  readonly cursor: number;
}

export interface EngineView {
  readonly kind: EngineInfo["kind"];
  readonly usable: boolean;
  readonly chosen: boolean;
  readonly version?: string;
  readonly path?: string;
  /** Why it cannot be used, and the next step. */
  readonly note?: string;
}

/** A line of the list of studies. */
export interface StudyRow {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly reason?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly algorithms: readonly string[];
  readonly dataset: string;
  readonly model: string;
  readonly rounds: number;
  readonly trials: number;
  readonly fleetSize: number;
  readonly runs: number;
  readonly runsDone: number;
  /** Rounds on record, over all runs. */
  readonly roundsDone: number;
  /** What `results` are: the task's primary metric, or the first that is known. */
  readonly metric: Metric;
  /** Per algorithm: mean over the trials of the metric at the last recorded round; null where none is known. */
  readonly results: readonly {
    readonly algorithm: string;
    readonly value: number | null;
    readonly n: number;
  }[];
}

export interface RunRow {
  readonly id: string;
  readonly study: string;
  readonly algorithm: string;
  /** From 1. */
  readonly trial: number;
  readonly seed: number;
  readonly status: RunStatus;
  readonly reason?: string;
  readonly engine?: EngineInfo;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** The curve of one run by columns, in order of rounds; round 0 is the evaluation of the first weights. */
export interface Curve {
  readonly run: string;
  readonly round: readonly number[];
  /** By metric, one value per round; null where one was not measured. */
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
  readonly seconds: readonly number[];
  /** Devices whose update was aggregated, and failures, per round. */
  readonly clients: readonly number[];
  readonly failures: readonly number[];
}

export interface StudyView
  extends Omit<StudyRow, "algorithms" | "roundsDone" | "metric" | "results" | "runs" | "runsDone"> {
  readonly study: Study;
  readonly engine: EngineInfo;
  readonly classes: readonly string[];
  readonly datasetSha?: string;
  /** Who holds what; undefined where no device takes its data from this computer. Rows in the order of `devices`. */
  readonly partition?: {
    readonly kind: string;
    readonly sha256: string;
    readonly histogram: readonly (readonly number[])[];
    readonly devices: readonly string[];
  };
  readonly runs: readonly RunRow[];
  readonly curves: readonly Curve[];
  /** The round in progress, if this study has one. */
  readonly live?: LiveRound;
  /** The latest recorded events that are sentences for a person, oldest first; updates that went well are not. */
  readonly log: readonly LogEntry[];
}

export interface LogEntry {
  readonly id: number;
  readonly event: LabEvent;
}

/** How far one device is in the round in progress. */
export interface LiveDevice {
  readonly device: string;
  /** "drawn" before its weights were sent. */
  readonly phase: "drawn" | "sent" | "training" | "uploading" | "folded" | "refused" | "failed" | "late";
  /** Of the local training, 0 to 1. */
  readonly fraction?: number;
  /** Milliseconds after the round's start at which the phase was first seen. */
  readonly sentMs?: number;
  readonly trainingMs?: number;
  readonly uploadingMs?: number;
  readonly endedMs?: number;
  readonly failure?: Failure;
}

export interface LiveRound {
  readonly run: string;
  readonly round: number;
  readonly startedAt: string;
  readonly devices: readonly LiveDevice[];
  readonly waiting?: {
    readonly stage: "joining" | "answering";
    readonly for: string;
    /** ISO time since when. */
    readonly since: string;
    readonly next: string;
  };
}

export type RoundView = RoundResult;

/** Not recorded: what changes beside the studies. A page that reconnects loads everything again. */
export type Notice = { readonly at: string } & (
  | { readonly kind: "activity"; readonly activity: Activity }
  /** A sentence of the lab for pages: what it is doing, or why a study could not continue. */
  | { readonly kind: "said"; readonly message: string; readonly study?: string; readonly problem?: true }
  | { readonly kind: "studies-changed"; readonly study: string }
  | { readonly kind: "fleet-changed" }
  | { readonly kind: "catalogue-changed" }
  | { readonly kind: "transfer"; readonly transfer: Transfer }
  /** A board's row is another: its state, its set-up, its client. */
  | { readonly kind: "board"; readonly device: string; readonly board: BoardSummary }
  /** The latest of all boards whose telemetry somebody watches; at most one such notice a second. */
  | {
      readonly kind: "telemetry";
      readonly points: readonly { readonly device: string; readonly point: TelemetryPoint }[];
    }
  | { readonly kind: "board-step"; readonly device: string; readonly step: StepView }
  | { readonly kind: "board-log"; readonly device: string; readonly lines: readonly BoardLogLine[] }
);

/** A download or a registration in progress, or how it ended. */
export interface Transfer {
  readonly name: string;
  readonly what: "download" | "register";
  readonly state: "running" | "done" | "failed" | "stopped";
  /** Bytes; undefined where they are not counted. */
  readonly done?: number;
  readonly total?: number;
  readonly startedAt: string;
  /** What went wrong and what to do. */
  readonly problem?: string;
}

export interface StreamItem {
  /** The event's number where it is recorded; the others are only for those who watch now. */
  readonly id?: number;
  readonly event: LabEvent | Notice;
}

export interface StreamBatch {
  /** Number of the last recorded event up to this batch: where to go on after a break. */
  readonly cursor: number;
  /** In order. */
  readonly items: readonly StreamItem[];
  /** Too many events were missed: load everything that is shown again. */
  readonly reset?: true;
}

/** A group of virtual devices of the lab's fleet. */
export type FleetGroup = VirtualGroup;

export interface DeviceView {
  readonly name: string;
  readonly kind: CrewKind;
  /** Of a board. */
  readonly board?: BoardSummary;
  /** The virtual group that it belongs to; undefined for those that a study file brought along. */
  readonly group?: string;
  readonly profile?: Pick<VirtualGroup, "slowness" | "dropOut" | "crash">;
  readonly connected: boolean;
  readonly dialect?: string;
  readonly address?: string;
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  readonly leftReason?: string;
  /** Its latest update on record. */
  readonly lastUpdate?: DeviceUpdate;
}

export interface DeviceUpdate {
  readonly study: string;
  readonly studyName: string;
  readonly run: string;
  readonly algorithm: string;
  readonly trial: number;
  readonly round: number;
  readonly status: "folded" | "refused" | "failed" | "late";
  readonly examples?: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly timing: {
    readonly downloadMs?: number;
    readonly computeMs?: number;
    readonly uploadMs?: number;
    readonly waitMs?: number;
  };
  readonly failure?: Failure;
}

export interface FleetView {
  readonly groups: readonly FleetGroup[];
  readonly devices: readonly DeviceView[];
  readonly cursor: number;
}

export interface DatasetView {
  readonly name: string;
  readonly title: string;
  readonly state: "ready" | "missing" | "damaged";
  readonly where?: string;
  readonly format?: string;
  readonly bytes?: number;
  readonly verified?: "official" | "structure";
  readonly problem?: string;
  readonly downloadBytes?: number;
  readonly next?: string;
  readonly terms: string;
  /** A person registered it: it can be taken off the list. */
  readonly registered: boolean;
}

export interface DatasetsView {
  readonly entries: readonly DatasetView[];
  readonly transfers: readonly Transfer[];
}

/** Images of a data set on one PNG sheet: row = class, column = one of its images. */
export interface SamplesView {
  readonly name: string;
  readonly classes: readonly string[];
  /** Training and test images. */
  readonly train: number;
  readonly test: number;
  /** Training images per class. */
  readonly perClass: readonly number[];
  readonly columns: number;
  readonly width: number;
  readonly height: number;
  /** `data:image/png;base64,…` */
  readonly sheet: string;
}

/** A folder of this computer, to choose data from. */
export interface FolderView {
  readonly path: string;
  readonly parent?: string;
  readonly home: string;
  readonly folders: readonly string[];
  /** Files that could be data: archives, .gz, .bin. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly more: boolean;
}

/** Is everything there that a study needs? Nothing is recorded yet. */
export interface Preparation {
  /** What is wrong with the study itself, by field. */
  readonly problems: readonly StudyProblem[];
  readonly checks: readonly ReadyCheck[];
  /** Who would hold what: the partition that the study would have. */
  readonly preview?: {
    readonly devices: readonly string[];
    readonly classes: readonly string[];
    readonly histogram: readonly (readonly number[])[];
    readonly sha256: string;
  };
  readonly cost?: StudyCost;
}

export interface ReadyCheck {
  readonly kind: "data" | "devices" | "engine" | "memory" | "disk" | "queue";
  readonly state: "ok" | "warning" | "missing";
  /** One sentence. */
  readonly text: string;
  /** What one click can do about it. */
  readonly mend?:
    | { readonly do: "download"; readonly dataset: string; readonly label: string }
    | { readonly do: "set"; readonly patch: Readonly<Record<string, unknown>>; readonly label: string }
    | { readonly do: "go"; readonly page: "data" | "fleet"; readonly label: string };
}

export interface StudyCost {
  readonly parameters: number;
  /** One model, one way. */
  readonly updateBytes: number;
  /** All updates of all runs, both ways. */
  readonly wireBytes: number;
  readonly clientsPerRound: number;
  /** Estimated; undefined where nothing like it was measured on this computer yet. */
  readonly seconds?: number;
  /** What the estimate rests on. */
  readonly basis?: string;
}

export type AtRound = "last" | "best" | "last5" | number;

/** Which figure of each run a table shows. */
export interface Figure {
  readonly at: AtRound;
  /** Id of the metric; default: the first that any round knows. */
  readonly metric?: string | undefined;
}

/** One line of a comparison: the trials of one algorithm of one study. */
export interface ComparisonRow {
  readonly key: string;
  readonly label: string;
  readonly study: string;
  readonly studyName: string;
  readonly algorithm: string;
  readonly cells: readonly {
    readonly trial: number;
    readonly run?: string;
    readonly value: number | null;
    readonly note?: string;
  }[];
  readonly mean: number | null;
  /** Sample standard deviation; null below two values. */
  readonly deviation: number | null;
  readonly n: number;
}

export interface FairnessCheck {
  readonly about:
    | "partition"
    | "weights"
    | "seeds"
    | "data"
    | "engine"
    | "settings"
    | "trials"
    | "evaluation";
  readonly ok: boolean;
  readonly text: string;
}

export interface Comparison {
  /** What the table shows. Its chance level is null where the studies' classes differ. */
  readonly metric: Metric;
  /** What it could show: every metric that one of the runs knows. */
  readonly metrics: readonly Metric[];
  readonly at: AtRound;
  readonly trials: readonly number[];
  readonly rows: readonly ComparisonRow[];
  /** Each row but the first vs. the first, paired by trial; above 0 is better. */
  readonly improvements: readonly (Omit<ComparisonRow, "cells"> & {
    readonly against: string;
    readonly cells: readonly { readonly trial: number; readonly value: number | null }[];
  })[];
  readonly fair: boolean;
  readonly fairness: readonly FairnessCheck[];
  /** Settings that are not the same in all, by their path in the file; one value per row, in the rows' order. */
  readonly differences: readonly { readonly path: string; readonly values: readonly string[] }[];
  readonly notes: readonly string[];
  readonly curves: readonly Curve[];
}

export interface Exported {
  readonly filename: string;
  readonly mediaType: string;
  /** The file's text; of an xlsx its bytes in base64. */
  readonly content: string;
  readonly encoding: "utf8" | "base64";
}

/**
 * How an `Exported` arrives: first what it is, then its content in this many parts. The record of a long study is tens of
 * megabytes, which neither the lab nor the page could take in one message without standing still.
 */
export type ExportPart = (Omit<Exported, "content"> & { readonly parts: number }) | { readonly text: string };
