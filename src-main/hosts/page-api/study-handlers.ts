import { parseStudy, type Study, type StudyProblem } from "#contract/study.ts";
import type { Activity, Curve, RoundView, StudyRow } from "#contract/views.ts";
import { page } from "./base.ts";
import { logEntry, type StudyViewPorts, studyView } from "./study-view.ts";

export interface StudyPorts extends StudyViewPorts {
  list(): readonly StudyRow[];
  /** Number of the last recorded event. */
  cursor(): number;
  round(run: string, round: number): RoundView | undefined;
  hasRun(run: string): boolean;
  /** Records a study; nothing trains yet. */
  open(study: Study): Promise<{ ok: true; id: string } | { ok: false; problems: readonly StudyProblem[] }>;
  readonly queue: {
    activity(): Activity;
    start(id: string): Activity;
    resume(id: string): Activity;
    pause(id: string): Activity;
    stopAfterRound(id: string): Activity;
    goOnWithout(id: string): Activity;
    stopNow(id: string): Activity;
    /** @returns whether it was in the queue. */
    drop(id: string): boolean;
  };
  /** Deletes a study that is not running, with everything recorded of it. */
  forget(id: string, boardData: boolean): Promise<void>;
  rename(id: string, name: string): void;
  /** Tells the pages that a study has changed. */
  changed(study: string): void;
}

const NO_STUDY = "This study does not exist: it was deleted, or it belongs to another data directory.";
const NO_ROUND = "This round is not recorded: it has not ended yet, or its study was deleted.";

/** A study's problems, as one sentence and by field. */
const refusal = (problems: readonly StudyProblem[]) => ({
  message: problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; "),
  data: { fields: problems },
});

export const studyHandlers = (ports: StudyPorts) => {
  const { queue } = ports;
  /** Studies that are being deleted: nothing may start with them. */
  const leaving = new Set<string>();
  const studies = page.studies;
  const rowOf = (id: string) => (leaving.has(id) ? undefined : ports.study(id));

  return {
    list: studies.list.handler(() => {
      const cursor = ports.cursor();
      return { studies: ports.list().filter(({ id }) => !leaving.has(id)), cursor };
    }),

    get: studies.get.handler(({ input, errors }) => {
      const cursor = ports.cursor();
      const found = rowOf(input.study);
      if (found === undefined) throw errors.NOT_FOUND({ message: NO_STUDY });
      return { study: studyView(found, ports), cursor };
    }),

    curves: studies.curves.handler(({ input }): readonly Curve[] =>
      [...new Set(input.runs)].filter(ports.hasRun).map(ports.curve),
    ),

    round: studies.round.handler(({ input, errors }) => {
      const found = ports.round(input.run, input.round);
      if (found === undefined) throw errors.NOT_FOUND({ message: NO_ROUND });
      return found;
    }),

    log: studies.log.handler(({ input, errors }) => {
      if (rowOf(input.study) === undefined) throw errors.NOT_FOUND({ message: NO_STUDY });
      return ports.log(input).map(logEntry);
    }),

    start: studies.start.handler(async ({ input, errors }) => {
      const parsed = parseStudy(input.study);
      if (!parsed.ok) throw errors.PROBLEM(refusal(parsed.problems));
      const opened = await ports.open(parsed.study);
      if (!opened.ok) throw errors.PROBLEM(refusal(opened.problems));
      ports.changed(opened.id);
      queue.start(opened.id);
      return { study: opened.id };
    }),

    resume: studies.resume.handler(({ input: { study }, errors }) => {
      const found = rowOf(study);
      if (found === undefined) throw errors.NOT_FOUND({ message: NO_STUDY });
      if (found.status === "done" || found.status === "failed") {
        throw errors.PROBLEM({
          message: `${found.name} has ended: none of its runs can be resumed. Copy it to a new study to run it again.`,
          data: {},
        });
      }
      return queue.resume(study);
    }),

    pause: studies.pause.handler(({ input }) => queue.pause(input.study)),
    stopAfterRound: studies.stopAfterRound.handler(({ input }) => queue.stopAfterRound(input.study)),
    goOnWithout: studies.goOnWithout.handler(({ input }) => queue.goOnWithout(input.study)),
    stopNow: studies.stopNow.handler(({ input }) => queue.stopNow(input.study)),

    remove: studies.remove.handler(async ({ input: { study, boardData }, errors }) => {
      const found = rowOf(study);
      if (found === undefined) throw errors.NOT_FOUND({ message: NO_STUDY });
      if (queue.activity().study === study) {
        throw errors.PROBLEM({
          message: `${found.name} is running. Stop it before you delete it.`,
          data: {},
        });
      }
      // One that had already started leaves the queue, and keeps what was recorded.
      if (queue.drop(study) && found.status !== "waiting") return queue.activity();
      leaving.add(study);
      try {
        await ports.forget(study, boardData);
      } finally {
        leaving.delete(study);
      }
      ports.changed(study);
      return queue.activity();
    }),

    rename: studies.rename.handler(({ input: { study, name }, errors }) => {
      if (rowOf(study) === undefined) throw errors.NOT_FOUND({ message: NO_STUDY });
      ports.rename(study, name);
      ports.changed(study);
      return queue.activity();
    }),
  };
};
