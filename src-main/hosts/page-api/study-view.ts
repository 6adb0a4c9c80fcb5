import type { LabEvent } from "#contract/events.ts";
import { withHolders } from "#contract/fleet.ts";
import type { Curve, LiveRound, LogEntry, RunRow, StudyView } from "#contract/views.ts";

/** Lines of the log that a page starts with. */
const LOG_LINES = 200;

/** A study's own record, without its runs and what belongs to them. */
export type StudyHead = Omit<StudyView, "partition" | "runs" | "curves" | "live" | "log">;

export interface StudyViewPorts {
  study(id: string): StudyHead | undefined;
  /** Samples of each class on each device; undefined where no device takes its data from this computer. */
  partition(id: string): Omit<NonNullable<StudyView["partition"]>, "devices"> | undefined;
  runs(study: string): readonly RunRow[];
  curve(run: string): Curve;
  /** The round in progress, if this study has one. */
  live(study: string): LiveRound | undefined;
  /** Recorded events worth reading, in order: the newest `limit` before `before`. */
  log(query: {
    study: string;
    before?: number;
    limit: number;
  }): readonly (LabEvent & { readonly id: number })[];
}

/** Everything that a study's page shows, from the record and from what is happening now. */
export const studyView = (head: StudyHead, ports: StudyViewPorts): StudyView => {
  const { id } = head;
  const runs = ports.runs(id).map(runRow);
  const partition = ports.partition(id);
  const live = ports.live(id);
  return {
    ...head,
    ...(partition === undefined ? {} : { partition: withHolders(head.study.fleet, partition) }),
    runs,
    curves: runs.map((run) => ports.curve(run.id)),
    ...(live === undefined ? {} : { live }),
    log: ports.log({ study: id, limit: LOG_LINES }).map(logEntry),
  };
};

const runRow = ({
  id,
  study,
  algorithm,
  trial,
  seed,
  status,
  reason,
  engine,
  startedAt,
  endedAt,
}: RunRow) => ({
  id,
  study,
  algorithm,
  trial,
  seed,
  status,
  ...(reason === undefined ? {} : { reason }),
  ...(engine === undefined ? {} : { engine }),
  ...(startedAt === undefined ? {} : { startedAt }),
  ...(endedAt === undefined ? {} : { endedAt }),
});

export const logEntry = ({ id, ...event }: LabEvent & { readonly id: number }): LogEntry => ({
  id,
  event: event as LabEvent,
});
