import { statfs } from "node:fs/promises";
import { availableParallelism, homedir, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { LabEvent } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import type { Activity, EngineView, Notice, StreamItem } from "#contract/views.ts";
import { readBoardList } from "#main/boards/board-list.ts";
import { createLiveStudy } from "#main/hosts/page-api/live-study.ts";
import { createPageRouter } from "#main/hosts/page-api/router.ts";
import type { EngineCandidate } from "#main/learning/engines/engine.ts";
import { modelParameters } from "#main/learning/models/models.ts";
import { problemsWithBoards, problemsWithoutData } from "#main/runs/open-study.ts";
import { createQueue } from "#main/runs/queue.ts";
import { forgetKept } from "#main/virtual-devices/kept-state.ts";
import { planWorkers, workerBytes } from "#main/virtual-devices/virtual-devices.ts";
import type { Lab } from "./open-lab.ts";
import { createReportPorts } from "./report-files.ts";

export interface PageLabOptions {
  /** Remains the caller's: close it after this. */
  readonly lab: Lab;
  readonly host: "desktop" | "browser";
  readonly version: string;
  readonly listEngines: () => Promise<readonly EngineCandidate[]>;
  /** Called with bugs; default: print them to standard error. */
  readonly onBug?: (error: unknown) => void;
}

/** A notice without its time. */
export type NoticeBody = Notice extends infer N ? (N extends Notice ? Omit<N, "at"> : never) : never;

export type PageLab = ReturnType<typeof openPageLab>;

const toStandardError = (error: unknown): void => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
};

/** Everything that pages can ask of an open lab, and the queue of studies that they start. */
export const openPageLab = ({ lab, host, version, listEngines, onBug = toStandardError }: PageLabOptions) => {
  const { store } = lab;
  const closed = new AbortController();
  const watchers = new Set<(item: StreamItem) => void>();
  const tell = (item: StreamItem): void => {
    for (const watcher of watchers) watcher(item);
  };
  const notify = (notice: NoticeBody): void => {
    tell({ event: { at: new Date().toISOString(), ...notice } as Notice });
  };

  const live = createLiveStudy();
  const unsubscribe = lab.subscribe((event: LabEvent, id) => {
    live.apply(event);
    tell(id === undefined ? { event } : { id, event });
  });

  const queue = createQueue({
    conduct: (id, control) => lab.runs.conduct(id, control, { keep: true }),
    // a study that stops after the deadline finds the lab closed
    record: (id) => (closed.signal.aborted ? undefined : store.studyRows.get(id)),
    emit: lab.emit,
    onProblem(study, error) {
      if (closed.signal.aborted) return;
      const name = store.studyRows.get(study)?.name ?? study;
      if (!(error instanceof UserError)) onBug(error);
      const why = error instanceof Error ? error.message : String(error);
      notify({ kind: "said", message: `${name}: ${why}`, study, problem: true });
    },
  });
  queue.onChange((activity) => notify({ kind: "activity", activity }));
  const unhear = lab.onSaid((message) => {
    const { study } = queue.activity();
    notify({ kind: "said", message, ...(study === undefined ? {} : { study }) });
  });

  let engines: readonly EngineView[] | undefined;
  listEngines().then(
    (found) => {
      engines = found.map(engineView);
      // pages reload the lab's facts when they get this notice
      if (!closed.signal.aborted) notify({ kind: "activity", activity: queue.activity() });
    },
    (error) => onBug(error),
  );

  const { boards } = lab;
  const unboard = boards.onNotice(notify);
  boards.start();

  const router = createPageRouter({
    boards: {
      ...boards,
      readList: readBoardList,
      secrets: { view: boards.secrets.view, keepInFile: boards.secrets.keepInFile },
      view: async (board) => boards.view(board),
      connect: async (board) => boards.connect(board),
      provision: async (board, how) => boards.provision(board, withoutUndefined(how)),
      stopProvision: async (board) => boards.stopProvision(board),
      undo: async (board, step, sudoPassword) => boards.undo(board, step, sudoPassword),
      trust: boards.trust,
      logs: store.boardLog.find,
      groups: store.groups.list,
      changed: () => notify({ kind: "fleet-changed" }),
      closed: closed.signal,
    },
    data: {
      catalogue: lab.catalogue,
      registry: store.datasets,
      samples: lab.dataWorker.samples,
      tell: notify,
      onBug,
      home: homedir(),
      closed: closed.signal,
    },
    fleet: {
      groups: store.groups,
      devices: store.devices,
      boards: boards.summaries,
      cursor: store.lastEvent,
      changed: () => notify({ kind: "fleet-changed" }),
      now: Date.now,
    },
    reports: createReportPorts(store, lab.reports.render),
    lab: {
      facts: {
        version,
        host,
        platform: process.platform,
        nodeVersion: process.versions.node,
        dataDir: store.dataDir,
        startedAt: new Date().toISOString(),
        pid: process.pid,
        cores: availableParallelism(),
        memoryBytes: totalmem(),
      },
      engines: () => engines,
      activity: queue.activity,
      cursor: store.lastEvent,
    },
    events: {
      subscribe(watcher) {
        watchers.add(watcher);
        return () => watchers.delete(watcher);
      },
      recorded: (after, limit) => store.events({ after, limit }),
      countAfter: store.countEvents,
      cursor: store.lastEvent,
      closed: closed.signal,
    },
    prepare: {
      catalogue: lab.catalogue,
      isRegistered: (dataset) => store.datasets.get(dataset) !== undefined,
      problems: (study) => [...problemsWithoutData(study), ...problemsWithBoards(study, store.boards.has)],
      deal: lab.dataWorker.deal,
      parameters: modelParameters,
      workers: (model, devices, memoryBytes) =>
        planWorkers({ cores: availableParallelism(), devices, model, memoryBytes }).workers,
      workerBytes,
      cores: availableParallelism(),
      freeMemory: () => process.availableMemory(),
      async freeDisk() {
        const { bavail, bsize } = await statfs(store.dataDir);
        return bavail * bsize;
      },
      dataDir: store.dataDir,
      board: boards.summary,
      listen: lab.listen,
      engines: () => engines,
      activity: queue.activity,
      nameOf: (study) => store.studyRows.get(study)?.name ?? study,
      history: store.runs.pace,
    },
    studies: {
      list: () => store.studyRows.list(),
      cursor: store.lastEvent,
      study: store.studyRows.get,
      partition: store.studyRows.partition,
      runs: store.runs.of,
      hasRun: (run) => store.runs.get(run) !== undefined,
      curve: store.rounds.columns,
      live: live.of,
      log: store.studyLog,
      round: store.rounds.get,
      open: lab.runs.open,
      queue,
      async forget(id, boardData) {
        const devices = store.studyRows.get(id)?.study.fleet.devices ?? [];
        if (boardData) boards.forgetStudy(id, devices);
        for (const run of (await store.forget(id)) ?? []) await forgetKept(join(store.dataDir, "kept"), run);
      },
      rename: store.studyRows.rename,
      changed: (study) => notify({ kind: "studies-changed", study }),
    },
  });

  return {
    router,
    activity: (): Activity => queue.activity(),
    onActivity: queue.onChange,
    /** Sends every page a notice, which is not recorded. */
    notify,
    /**
     * Stops the running study now, so that it can be resumed, and ends the pages' streams.
     * @returns false if it did not stop within `deadlineMs`.
     */
    async close(deadlineMs = 5000): Promise<boolean> {
      const late = new AbortController();
      const inTime = await Promise.race([
        queue.close().then(() => true),
        setTimeout(deadlineMs, false, { signal: late.signal }).catch(() => false),
      ]);
      late.abort();
      unhear();
      unsubscribe();
      unboard();
      closed.abort();
      watchers.clear();
      return inTime;
    },
  };
};

const withoutUndefined = <T extends object>(given: T) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

const engineView = ({ kind, path, version, usable, reason, chosen }: EngineCandidate): EngineView => ({
  kind,
  usable,
  chosen,
  ...(version === "" ? {} : { version }),
  ...(path === "" ? {} : { path }),
  ...(reason === undefined ? {} : { note: reason }),
});
