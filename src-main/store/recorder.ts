import type { DatabaseSync } from "node:sqlite";
import type { LabEvent, RoundResult, RunStatus } from "#contract/events.ts";
import type { CheckpointTable } from "./checkpoints.ts";
import { inTransaction } from "./database.ts";
import type { DeviceInput, DeviceTable } from "./devices.ts";
import type { EventTable } from "./events.ts";
import type { RoundTable } from "./rounds.ts";
import type { RunTable } from "./runs.ts";
import type { StudyTable } from "./studies.ts";
import type { UpdateTable } from "./updates.ts";

export interface FinishedRound {
  readonly run: string;
  readonly result: RoundResult;
  /** The path that checkpoints.write gave for this round. */
  readonly checkpoint: string;
  /** ISO 8601, UTC; default now. */
  readonly at?: string;
}

export interface Tables {
  readonly devices: DeviceTable;
  readonly studies: StudyTable;
  readonly runs: RunTable;
  readonly updates: UpdateTable;
  readonly rounds: RoundTable;
  readonly checkpoints: CheckpointTable;
  readonly events: EventTable;
}

/**
 * What a power cut may take away if it comes before the next round, run or study is recorded: a round that was not
 * recorded is repeated anyway. A hundred updates a second so cost one wait for the disk per round, not a hundred.
 */
const SYNCED_WITH_THE_NEXT: ReadonlySet<LabEvent["kind"]> = new Set([
  "round-started",
  "client-update",
  "waiting",
  "metric-refused",
  "device-joined",
  "device-left",
  "device-refused",
  "board-state",
  "board-client",
]);

/** Events of earlier versions do not name the crew: then a device keeps the one it had. */
const joined = (
  { device: name, crew, dialect, address }: LabEvent & { kind: "device-joined" },
  devices: Pick<DeviceTable, "kindOf">,
): DeviceInput => ({ name, kind: crew ?? devices.kindOf(name) ?? "virtual", dialect, address });

const CRASHED = "the program ended unexpectedly";

/** The status of a study whose process died; with every run done or failed, nothing is left to resume. */
const endOf = (statuses: readonly RunStatus[]): "done" | "failed" | "interrupted" => {
  if (statuses.some((status) => status !== "done" && status !== "failed")) return "interrupted";
  return statuses.includes("failed") ? "failed" : "done";
};

/** Turns each event of the stream into one transaction: its row, and what it changes. */
export const createRecorder = (db: DatabaseSync, tables: Tables) => {
  const { devices, studies, runs, updates, rounds, checkpoints, events } = tables;

  /** Within a transaction. @returns what the event is about. */
  const apply = (event: Exclude<LabEvent, { kind: "round-ended" | "client-progress" }>) => {
    const { at } = event;
    switch (event.kind) {
      case "study-started":
        studies.setStatus(event.study, "running", undefined, at);
        studies.setEngine(event.study, event.engine);
        return { study: event.study };
      case "study-resumed":
        studies.setStatus(event.study, "running", undefined, at);
        return { study: event.study };
      case "study-ended":
        studies.setStatus(event.study, event.status, event.reason, at);
        return { study: event.study };
      // a paused study is a running one: when its process dies, it has been interrupted
      case "study-paused":
      case "study-continued":
        return { study: event.study };
      case "run-started":
        runs.setStatus(event.run, "running", undefined, at);
        runs.takeEngine(event.run);
        return { study: event.study, run: event.run };
      case "run-ended":
        runs.setStatus(event.run, event.status, event.reason, at);
        return { study: event.study, run: event.run };
      case "client-update": {
        const { run, round, update } = event;
        return { study: runs.studyOf(run), run, round, seq: updates.add(run, round, update) };
      }
      case "round-started":
      case "waiting":
      case "metric-refused":
        return { study: runs.studyOf(event.run), run: event.run, round: event.round };
      case "device-joined":
        devices.upsert(joined(event, devices), at);
        devices.setConnected(event.device, true, at);
        return {};
      case "device-left":
        devices.setConnected(event.device, false, at, event.reason);
        return {};
      case "device-refused":
      case "board-state":
        return {};
      case "board-client":
        return { study: event.study };
    }
  };

  return {
    /**
     * Records an event and everything it changes in one transaction. A client-progress is for those who watch:
     * it is not recorded. A round-ended is recorded by recordRound, together with its checkpoint.
     * @returns the event's number in the stream; undefined for a client-progress.
     */
    record: (event: LabEvent): number | undefined => {
      if (event.kind === "client-progress") return undefined;
      if (event.kind === "round-ended") throw new Error("a round is recorded by recordRound, nothing else");
      return inTransaction(
        db,
        () => events.append(event, apply(event)),
        SYNCED_WITH_THE_NEXT.has(event.kind) ? "with-the-next" : "at-once",
      );
    },
    /**
     * Records a finished round whose checkpoint is already safe on the disk, and its round-ended event.
     * @returns the event's number in the stream.
     */
    recordRound: ({ run, result, checkpoint, at = new Date().toISOString() }: FinishedRound): number => {
      const { round } = result;
      const written = checkpoints.pending(run, round);
      if (written?.path !== checkpoint) {
        throw new Error(`${checkpoint} was not written for round ${round} of ${run}, or that is on record`);
      }
      const study = runs.studyOf(run);
      const id = inTransaction(db, () => {
        rounds.add(run, result);
        checkpoints.add(written, at);
        return events.append({ at, kind: "round-ended", run, result }, { study, run, round });
      });
      checkpoints.settle(run, round);
      return id;
    },
    /**
     * At the start: what a process left "running" or "waiting" when it died is interrupted, and the stream says so.
     * A study whose runs had all ended lacked nothing but its own end, and gets that.
     */
    closeWhatDied: (at: string): void =>
      inTransaction(db, () => {
        devices.disconnectAll();
        for (const study of studies.list(Number.MAX_SAFE_INTEGER)) {
          if (study.status !== "running" && study.status !== "waiting") continue;
          const conducted = runs.of(study.id);
          for (const run of conducted) {
            if (run.status !== "running") continue;
            runs.setStatus(run.id, "interrupted", CRASHED, at);
            events.append(
              {
                at,
                kind: "run-ended",
                study: study.id,
                run: run.id,
                status: "interrupted",
                reason: CRASHED,
              },
              { study: study.id, run: run.id },
            );
          }
          const status = endOf(conducted.map((run) => run.status));
          const reason = status === "interrupted" ? CRASHED : undefined;
          studies.setStatus(study.id, status, reason, at);
          events.append(
            { at, kind: "study-ended", study: study.id, status, ...(reason === undefined ? {} : { reason }) },
            { study: study.id },
          );
        }
      }),
  };
};
