import { useState } from "react";
import type { BoardProblem, BoardView, ProvisionPlan, StepId } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { lackingConsent, wantsSudo } from "./set-up-plan.ts";

/** What has to be given before the setup can start. */
type SetUpLack = { readonly consent: StepId } | "sudo";

/** The form of a board's setup: consents, password, saved image; and what the lab is asked to do with them. */
export const useSetUp = (view: BoardView, plan: ProvisionPlan) => {
  const { client, setBoard } = useStates();
  const { name } = view;
  const [agreed, setAgreed] = useState<ReadonlySet<StepId>>(new Set());
  const [sudo, setSudo] = useState("");
  const [imageFile, setImageFile] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState<"start" | "stop">();
  const [problem, setProblem] = useState<BoardProblem>();
  const needsSudo = wantsSudo(view, plan);
  const lacking = lackingConsent(plan, agreed);
  const password = sudo === "" ? {} : { sudoPassword: sudo };

  const act = async (what: "start" | "stop", work: () => Promise<BoardView>) => {
    setBusy(what);
    setProblem(undefined);
    try {
      setBoard(await work());
    } catch (error) {
      setProblem(asBoardProblem(error));
    } finally {
      setBusy(undefined);
    }
  };
  /**
   * Starts the setup, or these steps of it.
   *
   * @returns what is missing; then nothing was started
   */
  const start = (steps?: readonly StepId[]): SetUpLack | undefined => {
    const [first] = steps === undefined ? lacking : lacking.filter(({ id }) => steps.includes(id));
    const lack = first !== undefined ? { consent: first.id } : needsSudo && sudo === "" ? "sudo" : undefined;
    setAsked(lack !== undefined);
    if (lack !== undefined) return lack;
    void act("start", () =>
      client.boards.provision({
        name,
        agreed: [...agreed],
        ...(steps === undefined ? {} : { steps: [...steps] }),
        ...password,
        ...(imageFile.trim() === "" ? {} : { imageFile: imageFile.trim() }),
      }),
    );
    return undefined;
  };
  const agree = (id: StepId, yes: boolean) =>
    setAgreed((before) => {
      const next = new Set(before);
      if (yes) next.add(id);
      else next.delete(id);
      return next;
    });
  return {
    agreed,
    agree,
    sudo,
    setSudo,
    imageFile,
    setImageFile,
    /** The person tried to start: mark what is missing. */
    asked,
    busy,
    problem,
    needsSudo,
    lacking,
    start,
    stop: () => act("stop", () => client.boards.stopProvision({ name })),
    /** Undoes a step. @throws Error with the reason */
    undo: async (step: StepId) => setBoard(await client.boards.undo({ name, step, ...password })),
  };
};
