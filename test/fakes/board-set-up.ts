import type { BoardLogLine, BoardSummary, BoardView, StepView, TelemetryPoint } from "#contract/boards.ts";
import { type ExampleModel, PROBLEMS } from "./board-examples.ts";

/** What fake boards tell whoever watches. */
export type FakeNotice =
  | { readonly kind: "board"; readonly device: string; readonly board: BoardSummary }
  | { readonly kind: "board-step"; readonly device: string; readonly step: StepView }
  | { readonly kind: "board-log"; readonly device: string; readonly lines: readonly BoardLogLine[] }
  | {
      readonly kind: "telemetry";
      readonly points: readonly { readonly device: string; readonly point: TelemetryPoint }[];
    };

export interface FakeBoard {
  view: BoardView;
  readonly example: ExampleModel;
  readonly seed: number;
}

/** Steps of fake boards go on by themselves until they are done, fail (boards called full…), or are stopped. */
export const createFakeSetUps = ({
  known,
  change,
  tell,
  later,
  pace,
  iso,
}: {
  known(name: string): FakeBoard;
  change(name: string, more: Partial<BoardView>): void;
  tell(notice: FakeNotice): void;
  later(ms: number, work: () => void): void;
  readonly pace: number;
  iso(): string;
}) => {
  const running = new Map<string, { stopped: boolean }>();
  const provision = (name: string): void => {
    const mine = { stopped: false };
    running.set(name, mine);
    const plan = known(name).view.plan!;
    change(name, { plan: { ...plan, running: true }, setup: "running" });
    const put = (id: StepView["id"], more: Partial<StepView>): void => {
      const { view } = known(name);
      const steps = view.plan!.steps.map((one) => (one.id === id ? { ...one, ...more } : one));
      known(name).view = { ...view, plan: { ...view.plan!, steps } };
      tell({ kind: "board-step", device: name, step: steps.find((one) => one.id === id)! });
    };
    const finish = (ready: boolean): void => {
      running.delete(name);
      const { view, example } = known(name);
      change(name, {
        plan: { ...view.plan!, running: false, ready },
        setup: ready ? "ready" : "needed",
        ...(ready ? { image: example.image } : {}),
      });
    };
    const next = (): void => {
      const step = known(name).view.plan!.steps.find(
        ({ state }) => state !== "done" && state !== "not-needed",
      );
      if (step === undefined) {
        finish(true);
        return;
      }
      const startedAt = iso();
      const output: string[] = [];
      const tick = (k: number): void => {
        if (mine.stopped) {
          put(step.id, { state: "open" });
          finish(false);
          return;
        }
        if (step.id === "image" && name.startsWith("full") && k === 3) {
          put(step.id, { state: "failed", problem: PROBLEMS.disk, seconds: 3, output });
          finish(false);
          return;
        }
        if (k > 4) {
          put(step.id, { state: "done", seconds: 4, output, fraction: 1 });
          next();
          return;
        }
        output.push(`${step.title}: part ${k} of 4`);
        put(step.id, { state: "running", startedAt, fraction: k / 4, output: [...output] });
        later(pace, () => tick(k + 1));
      };
      tick(1);
    };
    next();
  };

  return {
    provision,
    stop(name: string): void {
      const mine = running.get(name);
      if (mine !== undefined) mine.stopped = true;
    },
  };
};
