import { eventIterator, oc, type } from "@orpc/contract";
import { z } from "zod";
import { virtualGroup } from "./study.ts";
import {
  type Activity,
  type Comparison,
  type Curve,
  type DatasetsView,
  type DatasetView,
  type DeviceUpdate,
  EXPORT_FORMATS,
  type ExportPart,
  type FleetView,
  type FolderView,
  type LabView,
  type LogEntry,
  type Preparation,
  type RoundView,
  type SamplesView,
  type StreamBatch,
  type StudyRow,
  type StudyView,
} from "./views.ts";

/**
 * Everything a page can ask of the lab, whichever way it came in. Inputs are checked against their schemas;
 * outputs are the lab's own words. Errors that a person can mend arrive as one of `problems`, with their message.
 */
const problems = {
  /** A sentence that says what, where and what to do. */
  PROBLEM: { status: 422, data: type<{ readonly fields?: readonly { path: string; message: string }[] }>() },
  NOT_FOUND: { status: 404 },
} as const;

const ask = oc.errors(problems);

const id = z.string().min(1).max(64);
const study = z.strictObject({ study: id });
const run = z.strictObject({ run: id });
const name = z.strictObject({ name: z.string().min(1).max(200) });
const at = z.union([z.enum(["last", "best", "last5"]), z.number().int().min(1).max(100_000)]);
/** The runs that a table is made of: whole studies, or single runs of any study. */
const subject = z.strictObject({
  studies: z.array(id).max(200).default([]),
  runs: z.array(id).max(2000).default([]),
});

export const labContract = {
  lab: {
    view: ask.output(type<LabView>()),
  },
  events: {
    /** Batches of events, at most twenty a second. `after`: the cursor of what is shown already. */
    follow: ask
      .input(z.strictObject({ after: z.number().int().min(0) }))
      .output(eventIterator(type<StreamBatch>())),
  },
  studies: {
    list: ask.output(type<{ readonly studies: readonly StudyRow[]; readonly cursor: number }>()),
    get: ask.input(study).output(type<{ readonly study: StudyView; readonly cursor: number }>()),
    curves: ask.input(z.strictObject({ runs: z.array(id).max(2000) })).output(type<readonly Curve[]>()),
    /** One recorded round with its updates, evaluations and failures. */
    round: ask.input(run.extend({ round: z.number().int().min(0) })).output(type<RoundView>()),
    /** Recorded events before `before`, newest `limit` of them, oldest first. */
    log: ask
      .input(study.extend({ before: z.number().int().min(1), limit: z.number().int().min(1).max(1000) }))
      .output(type<readonly LogEntry[]>()),
    /** Checks a study and shows its consequences; nothing is recorded. */
    prepare: ask.input(z.strictObject({ study: z.unknown() })).output(type<Preparation>()),
    /** Records a study and starts it, or queues it behind the one that runs. */
    start: ask.input(z.strictObject({ study: z.unknown() })).output(type<{ readonly study: string }>()),
    resume: ask.input(study).output(type<Activity>()),
    /** The round in progress is finished; then the devices stay connected and wait. */
    pause: ask.input(study).output(type<Activity>()),
    /** The round in progress is finished; then everything is put away. It can be resumed. */
    stopAfterRound: ask.input(study).output(type<Activity>()),
    /** The round in progress is lost; everything else is kept. It can be resumed. */
    stopNow: ask.input(study).output(type<Activity>()),
    /** Takes a study that waits for its turn out of the queue, or forgets one that is over, with its rounds. */
    remove: ask.input(study).output(type<Activity>()),
    rename: ask.input(study.extend({ name: z.string().trim().min(1).max(200) })).output(type<Activity>()),
  },
  fleet: {
    view: ask.output(type<FleetView>()),
    addGroup: ask.input(virtualGroup).output(type<FleetView>()),
    changeGroup: ask
      .input(z.strictObject({ group: z.string(), change: virtualGroup }))
      .output(type<FleetView>()),
    /** Its devices that are offline are forgotten, too; those of a running study stay until they are. */
    removeGroup: ask.input(z.strictObject({ group: z.string() })).output(type<FleetView>()),
    /** Takes an external device that is not connected off the list. */
    forget: ask.input(name).output(type<FleetView>()),
    /** Takes every device off the list that belongs to no group and is not connected. */
    forgetOffline: ask.output(type<FleetView>()),
    /** The device's updates on record, newest first. */
    history: ask
      .input(name.extend({ limit: z.number().int().min(1).max(1000).default(100) }))
      .output(type<readonly DeviceUpdate[]>()),
  },
  data: {
    view: ask.output(type<DatasetsView>()),
    samples: ask.input(name).output(type<SamplesView>()),
    /** Reads and registers a folder or an archive; resolves when it is on the list. */
    register: ask
      .input(z.strictObject({ name: z.string().max(200).optional(), path: z.string().min(1).max(4096) }))
      .output(type<DatasetView>()),
    /** Starts a download; how it goes comes with the events. */
    download: ask.input(name).output(type<DatasetsView>()),
    stopDownload: ask.input(name).output(type<DatasetsView>()),
    remove: ask.input(name).output(type<DatasetsView>()),
    browse: ask.input(z.strictObject({ path: z.string().max(4096).optional() })).output(type<FolderView>()),
  },
  reports: {
    compare: ask.input(subject.extend({ at: at.default("last") })).output(type<Comparison>()),
    /** The same table as a file. Several studies, or single runs, make one table of them all. */
    render: ask
      .input(subject.extend({ at: at.default("last"), format: z.enum(EXPORT_FORMATS) }))
      .output(eventIterator(type<ExportPart>())),
  },
};

export type LabContract = typeof labContract;
