import type { ProvisionPlan, StepId, StepView } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import type { Provisioner } from "./provision/provisioner.ts";
import type { BoardToSetUp, HowToProvision } from "./provision/step.ts";

export interface BoardSetUpDeps {
  readonly name: string;
  readonly provisioner: Pick<Provisioner, "look" | "run" | "undo">;
  /** The board as it is now. */
  board(): BoardToSetUp;
  onStep(step: StepView): void;
  /** The plan, or whether it is being worked on, is another. */
  onChange(): void;
  /** A new plan says whether every step is done. */
  onPlan(plan: ProvisionPlan): void;
  /** A problem that ended the work. */
  onError(error: unknown): void;
}

/** The plan of a board's set-up, and the work on it: one piece at a time, in the background. */
export const createBoardSetUp = (deps: BoardSetUpDeps) => {
  const { name, provisioner } = deps;
  let plan: ProvisionPlan | undefined;
  let working: AbortController | undefined;

  const onStep = (step: StepView): void => {
    if (plan !== undefined) {
      plan = { ...plan, steps: plan.steps.map((one) => (one.id === step.id ? step : one)) };
    }
    deps.onStep(step);
  };

  const work = (run: (signal: AbortSignal) => Promise<ProvisionPlan>): void => {
    if (working !== undefined) {
      throw new UserError(`${name} is being set up already. Wait until it is done, or stop it.`);
    }
    const mine = new AbortController();
    working = mine;
    if (plan !== undefined) plan = { ...plan, running: true };
    deps.onChange();
    run(mine.signal)
      .then((done) => {
        plan = done;
        deps.onPlan(done);
      })
      .catch(deps.onError)
      .finally(() => {
        working = undefined;
        if (plan !== undefined) plan = { ...plan, running: false };
        deps.onChange();
      });
  };

  return {
    plan: (): ProvisionPlan | undefined => plan,
    isWorking: (): boolean => working !== undefined,
    /** Asks the board what is done and what is open. @throws BoardError when it cannot be asked */
    async look(): Promise<ProvisionPlan> {
      plan = await provisioner.look(deps.board());
      deps.onPlan(plan);
      return plan;
    },
    provision(how: HowToProvision): void {
      work((signal) => provisioner.run(deps.board(), how, { onStep, signal }));
    },
    undo(step: StepId, sudoPassword: string | undefined): void {
      const how = { ...(sudoPassword === undefined ? {} : { sudoPassword }), agreed: [step] };
      work((signal) => provisioner.undo(deps.board(), step, how, { onStep, signal }));
    },
    stop(): void {
      working?.abort();
    },
  };
};
