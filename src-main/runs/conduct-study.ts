import { UserError } from "#contract/failure.ts";
import { hostedNames, rosterOf } from "#contract/fleet.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import { algorithmOf } from "#main/federation/algorithms.ts";
import { conductRun, type RunOutcome } from "./conduct-run.ts";
import type { StoredStudy } from "./lab-ports.ts";
import { passGate } from "./pass-gate.ts";
import type { Control, Model, RunPorts } from "./ports.ts";

export interface StudyPlan {
  readonly id: string;
  readonly study: Study;
  readonly runs: StoredStudy["runs"];
  readonly model: Model;
  readonly engine: EngineInfo;
  readonly resumed: boolean;
  /** Called before the run's first round, so that the crews know. */
  onRunBegins?(run: string): void;
}

export type StudyStatus = "done" | "failed" | "interrupted";

/**
 * Conducts the runs of a study in sequence and skips those that have ended. A failed run does not stop the others: the
 * study ends as failed once all of them have ended.
 */
export const conductStudy = async (
  plan: StudyPlan,
  ports: RunPorts,
  control: Control,
): Promise<StudyStatus> => {
  const { study } = plan;
  ports.emit(
    plan.resumed
      ? { kind: "study-resumed", study: plan.id, name: study.name }
      : {
          kind: "study-started",
          study: plan.id,
          name: study.name,
          runs: plan.runs.length,
          engine: plan.engine,
        },
  );
  let failed = plan.runs.some((run) => run.status === "failed");
  for (const run of plan.runs) {
    if (run.status === "done" || run.status === "failed") continue;
    await passGate(control).catch(() => {});
    if (control.afterRound.aborted || control.now.aborted) {
      return end(plan, ports, "interrupted", whyStopped(control));
    }
    plan.onRunBegins?.(run.id);
    const recorded = ports.history.last(run.id)?.round ?? 0;
    ports.emit({
      kind: "run-started",
      study: plan.id,
      run: run.id,
      algorithm: run.algorithm,
      trial: run.trial,
      rounds: study.rounds,
      fromRound: recorded + 1,
    });
    const outcome = await conduct(plan, run, ports, control);
    ports.emit({
      kind: "run-ended",
      study: plan.id,
      run: run.id,
      status: outcome.status,
      reason: outcome.reason,
    });
    if (outcome.status === "interrupted") return end(plan, ports, "interrupted", outcome.reason);
    if (outcome.status === "failed") failed = true;
  }
  return end(plan, ports, failed ? "failed" : "done");
};

const conduct = async (
  plan: StudyPlan,
  run: StudyPlan["runs"][number],
  ports: RunPorts,
  control: Control,
): Promise<RunOutcome> => {
  try {
    return await conductRun(
      {
        study: plan.study,
        run,
        algorithm: algorithmOf(run.algorithm, plan.study),
        model: plan.model,
        roster: rosterOf(plan.study.fleet),
        hosted: hostedNames(plan.study.fleet),
      },
      ports,
      control,
    );
  } catch (error) {
    if (control.now.aborted) return { status: "interrupted", reason: whyStopped(control) };
    // The study can be resumed once the cause is fixed; the record says why it ended.
    const reason = error instanceof Error ? error.message : String(error);
    ports.emit({ kind: "run-ended", study: plan.id, run: run.id, status: "interrupted", reason });
    end(plan, ports, "interrupted", reason);
    throw error;
  }
};

/** Why a study was stopped: by a person, or because something that it needs broke. */
export const whyStopped = ({ now }: Pick<Control, "now">): string => {
  if (now.reason instanceof UserError) return now.reason.message;
  return now.aborted ? "stopped immediately" : "stopped after a round";
};

const end = (plan: StudyPlan, ports: RunPorts, status: StudyStatus, reason?: string): StudyStatus => {
  ports.emit({ kind: "study-ended", study: plan.id, status, ...(reason === undefined ? {} : { reason }) });
  return status;
};
