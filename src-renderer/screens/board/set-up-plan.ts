import type { BoardView, ProvisionPlan, StepId, StepView } from "#contract/boards.ts";
import { plural } from "#renderer/ui/format.ts";

/** Steps that still have to be done. */
export const openSteps = (steps: readonly StepView[]): readonly StepView[] =>
  steps.filter(({ state }) => state === "open" || state === "blocked" || state === "failed");

/** Steps that would run, but need a consent that was not given. */
export const lackingConsent = (plan: ProvisionPlan, agreed: ReadonlySet<StepId>): readonly StepView[] =>
  openSteps(plan.steps).filter(({ id, consent }) => consent !== undefined && !agreed.has(id));

/** Ask for sudo's password? No where sudo needs none, or where the user has no sudo at all. */
export const wantsSudo = (view: Pick<BoardView, "facts">, plan: ProvisionPlan): boolean => {
  const open = openSteps(plan.steps);
  if (open.some(({ problem }) => problem?.code === "sudo-password")) return true;
  return view.facts?.sudo === "password" && open.some(({ needsSudo }) => needsSudo);
};

/** "4 steps remain." */
export const remainingText = (plan: ProvisionPlan): string => {
  const open = openSteps(plan.steps).length;
  return `${plural(open, "step")} ${open === 1 ? "remains" : "remain"}.`;
};

/** The state of the setup in one sentence, for a screen reader. */
export const setUpSentence = (plan: ProvisionPlan): string => {
  const running = plan.steps.find(({ state }) => state === "running");
  if (running !== undefined) return `${running.title} is running.`;
  const failed = plan.steps.find(({ state }) => state === "failed");
  if (failed !== undefined) return `${failed.title} failed: ${failed.problem?.title ?? "see its output"}.`;
  return plan.ready ? "The board is ready." : remainingText(plan);
};
