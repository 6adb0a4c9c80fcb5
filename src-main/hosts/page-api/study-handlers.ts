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
    /** @returns whether it waited in the queue. */
    drop(id: string): boolean;
  };
  /** Forgets a study that is not under way, with all that is on record of it. */
  forget(id: string, boardData: boolean): Promise<void>;
  rename(id: string, name: string): void;
  /** Tells the pages that the list is another. */
  changed(study: string): void;
}

const NO_STUDY = "There is no such study any more: it was removed, or it belongs to another data directory.";
const NO_ROUND = "This round is not on record: its study was removed, or the round has not ended yet.";

/** What is wrong with a study, in one sentence and by field. */
const refusal = (problems: readonly StudyProblem[]) => ({
  message: problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; "),
  data: { fields: problems },
});

export const studyHandlers = (ports: StudyPorts) => {
  const { queue } = ports;
  /** Studies whose rows are being deleted: nothing may begin with them. */
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
          message: `${found.name} is over: all its runs have ended. Copy it to a new study to run it again.`,
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
          message: `${found.name} is under way: stop it before you remove it.`,
          data: {},
        });
      }
      // One that had begun before it came to wait again keeps what is on record of it.
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
