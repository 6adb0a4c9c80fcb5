import type { BoardFacts, BoardProblem, ProvisionPlan, StepId, StepView } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { createEngine } from "#main/boards/docker/engine.ts";
import { cancelled } from "#main/boards/ssh/problems.ts";
import { createRoot } from "./as-root.ts";
import { dataStep } from "./data.ts";
import { dockerGroup, dockerInstall, dockerStart } from "./docker-steps.ts";
import { createImages, imageStep } from "./image.ts";
import { nvidiaRuntime } from "./nvidia-runtime.ts";
import { selfTestStep } from "./self-test.ts";
import type { BoardToSetUp, Found, HowToProvision, Step, Work } from "./step.ts";

export interface ProvisionEvents {
  onStep(step: StepView): void;
  readonly signal: AbortSignal;
}

export interface ProvisionerOptions {
  /** The folder of the Python client and its Dockerfiles. */
  readonly deviceScripts: string;
  readonly labId: string;
  /** A PEM file of certificates that a build needs, behind a proxy that inspects TLS. */
  readonly extraCa?: string | undefined;
}

export type Provisioner = ReturnType<typeof createProvisioner>;

/** Lines of output that a step shows. */
const SHOWN = 200;
/** A step reports its progress at most this often. */
const TELL_EVERY_MS = 200;

/** Makes boards ready by idempotent steps: what is done is skipped, what failed is tried again. */
export const createProvisioner = ({ deviceScripts, labId, extraCa }: ProvisionerOptions) => {
  const imageOf = createImages(deviceScripts);
  const steps: readonly Step[] = [
    dockerInstall,
    dockerStart,
    dockerGroup,
    nvidiaRuntime,
    imageStep(imageOf, { extraCa }),
    selfTestStep(imageOf, labId),
    dataStep,
  ];

  const view = (step: Step, found: Found, more: Partial<StepView> = {}): StepView => ({
    id: step.id,
    title: step.title,
    output: [],
    ...found,
    ...more,
  });

  /** What is known of the board's engine may be outdated: then it is probed, and asked again. */
  const afresh = async <T>(board: BoardToSetUp, ask: () => Promise<T> | T): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BoardError && isOfEngine(error.problem.code))) throw error;
      await board.probe();
      return await ask();
    }
  };
  const lookAt = (step: Step, board: BoardToSetUp): Promise<Found> => afresh(board, () => step.look(board));

  const look = (board: BoardToSetUp): Promise<ProvisionPlan> =>
    afresh(board, async () => {
      const views: StepView[] = [];
      for (const step of steps) views.push(view(step, await step.look(board)));
      return { steps: views, ready: isReady(views), running: false };
    });

  /** Does or undoes one step and reports it. @throws StepFailed, after it was reported */
  const perform = async (
    step: Step,
    what: "run" | "undo",
    found: Found,
    board: BoardToSetUp,
    how: HowToProvision,
    { onStep, signal }: ProvisionEvents,
  ): Promise<void> => {
    const startedAt = new Date().toISOString();
    const began = performance.now();
    let output: readonly string[] = [];
    let fraction: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const now = (state: StepView["state"], more: Partial<StepView> = {}): StepView => {
      const { problem: _, ...rest } = found;
      return view(step, rest, {
        state,
        output,
        startedAt,
        seconds: (performance.now() - began) / 1000,
        ...(fraction === undefined ? {} : { fraction }),
        ...more,
      });
    };
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        onStep(now("running"));
      }, TELL_EVERY_MS);
    };
    const say = (...lines: readonly string[]): void => {
      if (lines.length === 0) return;
      output = [...output, ...lines].slice(-SHOWN);
      soon();
    };
    onStep(now("running"));
    try {
      signal.throwIfAborted();
      if (found.state === "blocked") throw new BoardError(blocked(step, found));
      if (what === "run" && found.consent !== undefined && !how.agreed.includes(step.id)) {
        throw new BoardError(notAgreed(step, found.consent));
      }
      const connection = await board.connection();
      const facts = board.facts();
      const work: Work = {
        board,
        connection,
        engine: () => createEngine(connection, board.facts().docker.socket),
        root: createRoot({
          connection,
          sudo: facts.sudo,
          user: facts.user,
          password: how.sudoPassword,
          signal,
          say,
        }),
        signal,
        imageFile: how.imageFile,
        say,
        progress(part) {
          fraction = Math.min(1, Math.max(0, part));
          soon();
        },
      };
      await (what === "run" ? step.run(work) : step.undo?.(work));
      if (changesDocker(step.id)) await board.probe();
      clearTimeout(timer);
      const after = view(step, await lookAt(step, board), {
        output,
        startedAt,
        seconds: (performance.now() - began) / 1000,
      });
      onStep(after);
    } catch (error) {
      clearTimeout(timer);
      const problem = problemOf(signal.aborted ? cancelled(error) : error);
      if (problem === undefined) throw error;
      const failed = now("failed", { problem });
      onStep(failed);
      throw new StepFailed(problem.title);
    }
  };

  const planAfter = async (
    board: BoardToSetUp,
    told: ReadonlyMap<StepId, StepView>,
  ): Promise<ProvisionPlan> => {
    const plan = await look(board);
    // What a step printed, and how it failed, stays visible.
    const merged = plan.steps.map((step) => {
      const last = told.get(step.id);
      if (last === undefined) return step;
      if (last.state === "failed" && step.state !== "done") return last;
      return {
        ...step,
        output: last.output,
        ...(last.seconds === undefined ? {} : { seconds: last.seconds }),
      };
    });
    return { ...plan, steps: merged };
  };

  /** Does `work`, up to a step that fails. @returns the plan afterwards, with what its steps reported */
  const remembering = async (
    board: BoardToSetUp,
    events: ProvisionEvents,
    work: (events: ProvisionEvents) => Promise<void>,
  ): Promise<ProvisionPlan> => {
    const told = new Map<StepId, StepView>();
    const onStep = (step: StepView): void => {
      told.set(step.id, step);
      events.onStep(step);
    };
    try {
      await work({ ...events, onStep });
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
    return await planAfter(board, told);
  };

  return {
    /** The name of a board's image; undefined where none can be made. */
    imageTag: (facts: BoardFacts): string | undefined => imageOf(facts)?.tag,
    /** The plan as the board is now. @throws BoardError when it cannot be asked */
    look,
    /**
     * Does the open steps, or those that are named, in order; stops at the first that fails.
     * @returns the plan as it is then; what failed says why
     */
    async run(board: BoardToSetUp, how: HowToProvision, events: ProvisionEvents): Promise<ProvisionPlan> {
      return await remembering(board, events, async (told) => {
        for (const step of steps) {
          if (how.steps !== undefined && !how.steps.includes(step.id)) continue;
          const found = await lookAt(step, board);
          if (how.steps === undefined && found.state !== "open") continue;
          await perform(step, "run", found, board, how, told);
        }
      });
    },
    /** @returns the plan as it is then */
    async undo(
      board: BoardToSetUp,
      id: StepId,
      how: HowToProvision,
      events: ProvisionEvents,
    ): Promise<ProvisionPlan> {
      const step = steps.find((one) => one.id === id);
      if (step?.undo === undefined) throw new UserError("This step has nothing to undo.");
      return await remembering(board, events, async (told) => {
        await perform(step, "undo", await lookAt(step, board), board, how, told);
      });
    },
  };
};

/** A step failed, and was reported. */
class StepFailed extends Error {}

const isReady = (steps: readonly StepView[]): boolean =>
  steps.every(({ state }) => state === "done" || state === "not-needed");

const isOfEngine = (code: BoardProblem["code"]): boolean =>
  code === "docker-missing" || code === "docker-stopped" || code === "docker-denied";

const changesDocker = (id: StepId): boolean =>
  id === "docker-install" || id === "docker-start" || id === "docker-group" || id === "nvidia-runtime";

const blocked = (step: Step, found: Found): BoardProblem => ({
  code: "bad-configuration",
  title: `${step.title}: earlier steps come first`,
  cause: found.text,
  next: "Do the earlier steps first.",
  actions: [{ do: "retry", label: "Try again" }],
});

const notAgreed = (step: Step, consent: string): BoardProblem => ({
  code: "cancelled",
  title: `${step.title}: your consent is missing`,
  cause: `${consent}. The lab does this only with your consent.`,
  next: "Agree to it, then continue.",
});

/** @returns undefined for a bug */
const problemOf = (error: unknown): BoardProblem | undefined => {
  if (error instanceof BoardError) return error.problem;
  if (error instanceof UserError) {
    return {
      code: "bad-configuration",
      title: "This cannot be done",
      cause: error.message,
      next: "Fix it, then try again.",
      actions: [{ do: "retry", label: "Try again" }],
    };
  }
  return undefined;
};
