import type { BoardView, ProvisionPlan, StepId, StepView } from "#contract/boards.ts";
import { openSteps } from "./board-words.ts";

/** Steps that would run and whose consent is not given. */
export const lackingConsent = (plan: ProvisionPlan, agreed: ReadonlySet<StepId>): readonly StepView[] =>
  openSteps(plan.steps).filter(({ id, consent }) => consent !== undefined && !agreed.has(id));

/** Is the password of sudo to be asked for? Where sudo is free, or there is none, no password would help. */
export const wantsSudo = (view: Pick<BoardView, "facts">, plan: ProvisionPlan): boolean => {
  const open = openSteps(plan.steps);
  if (open.some(({ problem }) => problem?.code === "sudo-password")) return true;
  return view.facts?.sudo === "password" && open.some(({ needsSudo }) => needsSudo);
};

/** How far it is, in a sentence for whoever does not see it. */
export const setUpSentence = (plan: ProvisionPlan): string => {
  const running = plan.steps.find(({ state }) => state === "running");
  if (running !== undefined) return `${running.title} is running.`;
  const failed = plan.steps.find(({ state }) => state === "failed");
  if (failed !== undefined) return `${failed.title} failed: ${failed.problem?.title ?? "see what it said"}.`;
  if (plan.ready) return "The board is ready.";
  const open = openSteps(plan.steps).length;
  return open === 1 ? "One step is to be done." : `${open} steps are to be done.`;
};
