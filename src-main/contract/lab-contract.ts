import { eventIterator, oc, type } from "@orpc/contract";
import { z } from "zod";
import {
  type BoardLogLine,
  type BoardProblem,
  type BoardView,
  boardName,
  boardTarget,
  type ListedBoard,
  type Reached,
  type SecretsView,
  type SshEntry,
  STEP_IDS,
  signIn,
} from "./boards.ts";
import { EXPORT_FORMAT_NAMES } from "./export-formats.ts";
import { virtualGroup } from "./fleet.ts";
import type {
  Activity,
  Comparison,
  Curve,
  DatasetsView,
  DatasetView,
  DeviceUpdate,
  ExportPart,
  FleetView,
  FolderView,
  LabView,
  LogEntry,
  Preparation,
  RoundView,
  SamplesView,
  StreamBatch,
  StudyRow,
  StudyView,
} from "./views.ts";

/**
 * Everything a page can ask of the lab, whichever way it came in. Inputs are checked against their schemas;
 * outputs are the lab's own words. Errors that a person can mend arrive as one of `problems`, with their message.
 */
const problems = {
  /** A sentence that says what, where and what to do. */
  PROBLEM: {
    status: 422,
    data: type<{
      readonly fields?: readonly { path: string; message: string }[];
      /** What is known of it where it is about a board. */
      readonly board?: BoardProblem;
    }>(),
  },
  NOT_FOUND: { status: 404 },
} as const;

const ask = oc.errors(problems);

const id = z.string().min(1).max(64);
const study = z.strictObject({ study: id });
const run = z.strictObject({ run: id });
const name = z.strictObject({ name: z.string().min(1).max(200) });
const at = z.union([z.enum(["last", "best", "last5"]), z.number().int().min(1).max(100_000)]);
/** Which figure of each run a table shows. */
const figure = { at: at.default("last"), metric: z.string().max(60).optional() };
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
    /** Devices that are awaited and do not come are no longer waited for: it goes on with those that are there. */
    goOnWithout: ask.input(study).output(type<Activity>()),
    /** The round in progress is lost; everything else is kept. It can be resumed. */
    stopNow: ask.input(study).output(type<Activity>()),
    /** Takes a study that waits for its turn out of the queue, or forgets one that is over, with its rounds. */
    remove: ask
      .input(
        study.extend({
          /** What the lab put on boards for it goes, too. */
          boardData: z.boolean().default(true),
        }),
      )
      .output(type<Activity>()),
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
  boards: {
    /** The entries of the user's own ~/.ssh/config. */
    sshEntries: ask.output(type<readonly SshEntry[]>()),
    secrets: ask.output(type<SecretsView>()),
    /** Keeps secrets in a file that only its owner may read, or no longer. */
    keepSecretsInFile: ask.input(z.strictObject({ keep: z.boolean() })).output(type<SecretsView>()),
    /** Reads a pasted list or a CSV file: `user@host:port`, or columns name, host, port, user. Nothing is contacted. */
    readList: ask
      .input(z.strictObject({ text: z.string().max(1_000_000) }))
      .output(type<readonly ListedBoard[]>()),
    /** Looks who answers there. Nothing is sent that could be kept secret. */
    reach: ask.input(z.strictObject({ target: boardTarget })).output(type<Reached>()),
    /** Takes a key that `reach` showed for that host's. Never one in place of another. */
    trust: ask
      .input(z.strictObject({ host: z.string(), port: z.number().int(), fingerprint: z.string() }))
      .output(type<{ readonly trusted: true }>()),
    /** Signs in, looks at the board and puts it on the list. Its key must be trusted. */
    add: ask
      .input(
        z.strictObject({
          name: boardName,
          target: boardTarget,
          signIn,
          /** Installs the lab's own key there. What was used to sign in is forgotten once the board accepts the key. */
          installKey: z.boolean(),
          dataFolder: z.string().min(1).max(4096).optional(),
        }),
      )
      .output(type<BoardView>()),
    get: ask.input(name).output(type<BoardView>()),
    /** Changes how it is reached or signed in to, or where its data lie. */
    change: ask
      .input(
        name.extend({
          target: boardTarget.optional(),
          signIn: signIn.optional(),
          installKey: z.boolean().optional(),
          /** null: the lab sends each study's part. */
          dataFolder: z.string().min(1).max(4096).nullable().optional(),
        }),
      )
      .output(type<BoardView>()),
    /** The one way to take another key for a board's: its name is typed, the new key shown. */
    replaceKey: ask
      .input(name.extend({ typedName: z.string(), fingerprint: z.string() }))
      .output(type<BoardView>()),
    /** Tries at once to connect. */
    connect: ask.input(name).output(type<BoardView>()),
    /** Looks at the board again. */
    probe: ask.input(name).output(type<BoardView>()),
    /** Runs the open steps, or those named, in order; how it goes comes with the events. */
    provision: ask
      .input(
        name.extend({
          steps: z.array(z.enum(STEP_IDS)).optional(),
          /** Used for this call, kept nowhere. */
          sudoPassword: z.string().max(1024).optional(),
          /** Steps whose consent was given. */
          agreed: z.array(z.enum(STEP_IDS)).default([]),
          /** A saved image on this computer (docker save), instead of a build. */
          imageFile: z.string().max(4096).optional(),
        }),
      )
      .output(type<BoardView>()),
    stopProvision: ask.input(name).output(type<BoardView>()),
    undo: ask
      .input(name.extend({ step: z.enum(STEP_IDS), sudoPassword: z.string().max(1024).optional() }))
      .output(type<BoardView>()),
    client: ask.input(name.extend({ do: z.enum(["restart", "stop", "remove"]) })).output(type<BoardView>()),
    /** The lab reads the telemetry of these boards for as long as the stream is open; notices bring it. */
    watchTelemetry: ask
      .input(z.strictObject({ names: z.array(z.string().min(1).max(200)).max(10_000) }))
      .output(eventIterator(type<{ readonly watching: readonly string[] }>())),
    /** Lines of the board's clients, oldest first: those that contain `search`, before line `before`. */
    logs: ask
      .input(
        name.extend({
          study: id.optional(),
          search: z.string().max(200).optional(),
          before: z.number().int().optional(),
          limit: z.number().int().min(1).max(1000).default(500),
        }),
      )
      .output(type<{ readonly lines: readonly BoardLogLine[]; readonly more: boolean }>()),
    /** Off the list; `cleanUp`: what the lab put there is removed first (containers, image, data, its key). */
    remove: ask
      .input(name.extend({ cleanUp: z.boolean() }))
      .output(type<{ readonly removed: true; readonly left?: string }>()),
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
    compare: ask.input(subject.extend(figure)).output(type<Comparison>()),
    /** The same table as a file. Several studies, or single runs, make one table of them all. */
    render: ask
      .input(subject.extend({ ...figure, format: z.enum(EXPORT_FORMAT_NAMES) }))
      .output(eventIterator(type<ExportPart>())),
  },
};

export type LabContract = typeof labContract;
