import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useEffect, useId, useRef, useState } from "react";
import type { BoardAction, BoardProblem, BoardView, ProvisionPlan, StepId } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import style from "./board.module.css";
import { BoardProblemBox } from "./board-problem.tsx";
import { openSteps } from "./board-words.ts";
import { lackingConsent, setUpSentence, wantsSudo } from "./set-up-form.ts";
import { SetUpStep } from "./set-up-step.tsx";

/** The plan of what makes a board ready: what will be run, what a person has to agree to, how it goes. */
export const SetUp = ({
  view,
  plan,
  onAction,
}: {
  readonly view: BoardView;
  readonly plan: ProvisionPlan;
  /** For what problems offer beside the steps: another address, another sign-in. */
  readonly onAction: (action: BoardAction) => void;
}) => {
  const { client, setBoard } = useStates();
  const { name } = view;
  const [agreed, setAgreed] = useState<ReadonlySet<StepId>>(new Set());
  const [sudo, setSudo] = useState("");
  const [imageFile, setImageFile] = useState("");
  const [wantsImage, setWantsImage] = useState(false);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState<string>();
  const [problem, setProblem] = useState<BoardProblem>();
  const [undoing, setUndoing] = useState<StepId>();
  const sudoField = useRef<HTMLInputElement>(null);
  const imageField = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const imageFieldId = useId();
  const { running } = plan;
  const open = openSteps(plan.steps);
  const failed = plan.steps.find(({ state }) => state === "failed");
  const needsSudo = wantsSudo(view, plan);
  const lacking = lackingConsent(plan, agreed);
  const undoNeedsSudo =
    view.facts?.sudo === "password" && plan.steps.find(({ id }) => id === undoing)?.needsSudo === true;
  // what was asked for by a button of a problem is in sight only once it is drawn
  useEffect(() => {
    if (wantsImage) imageField.current?.focus();
  }, [wantsImage]);

  const act = async (what: string, work: () => Promise<BoardView>) => {
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
  const start = (steps?: readonly StepId[]) => {
    const wanted = steps === undefined ? lacking : lacking.filter(({ id }) => steps.includes(id));
    const [first] = wanted;
    if (first !== undefined) {
      setAsked(true);
      form.current?.querySelector<HTMLInputElement>(`[name="agree ${first.id}"]`)?.focus();
      return;
    }
    if (needsSudo && sudo === "") {
      setAsked(true);
      sudoField.current?.focus();
      return;
    }
    setAsked(false);
    void act("provision", () =>
      client.boards.provision({
        name,
        agreed: [...agreed],
        ...(steps === undefined ? {} : { steps: [...steps] }),
        ...(sudo === "" ? {} : { sudoPassword: sudo }),
        ...(imageFile.trim() === "" ? {} : { imageFile: imageFile.trim() }),
      }),
    );
  };
  const onStepAction = (action: BoardAction) => {
    if (action.do === "retry") start();
    else if (action.do === "step") start([action.step]);
    else if (action.do === "ask-sudo") sudoField.current?.focus();
    else if (action.do === "load-image") setWantsImage(true);
    else onAction(action);
  };
  const agree = (id: StepId, yes: boolean) =>
    setAgreed((before) => {
      const next = new Set(before);
      if (yes) next.add(id);
      else next.delete(id);
      return next;
    });
  const offersImage =
    wantsImage || open.some(({ id }) => id === "image") || (imageFile !== "" && !plan.ready);

  return (
    <form
      ref={form}
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!running) start();
      }}
      noValidate
    >
      <ol className={style.steps} aria-label={`What makes ${name} ready`}>
        {plan.steps.map((step) => (
          <SetUpStep
            key={step.id}
            step={step}
            running={running}
            agreed={agreed.has(step.id)}
            asked={asked}
            onAgree={(yes) => agree(step.id, yes)}
            onAction={onStepAction}
            busy={busy}
            onUndo={() => setUndoing(step.id)}
          />
        ))}
      </ol>
      {needsSudo && !running && (
        <PasswordInput
          ref={sudoField}
          className={style.narrowField ?? ""}
          label="Password for sudo"
          description={`Of ${view.facts?.user ?? "the user"} on ${name}; used for this run only and kept nowhere.`}
          value={sudo}
          onChange={(event) => setSudo(event.currentTarget.value)}
          error={asked && sudo === "" ? "Some of the steps need administrator rights." : undefined}
          autoComplete="off"
        />
      )}
      {offersImage && !running && (
        <details className={style.more} open={wantsImage}>
          <summary>The board has no internet: use a saved image</summary>
          <TextInput
            ref={imageField}
            id={imageFieldId}
            mt={8}
            label="Saved image"
            description="A file of docker save on this computer, its whole path. It is sent to the board instead of being built there."
            value={imageFile}
            onChange={(event) => setImageFile(event.currentTarget.value)}
            placeholder="/home/me/fedfleet-client.tar"
            spellCheck={false}
            autoComplete="off"
          />
        </details>
      )}
      {problem !== undefined && <BoardProblemBox problem={problem} onAction={onStepAction} busy={busy} />}
      {running ? (
        <div className={style.buttons}>
          <Button
            onClick={() => act("stop", () => client.boards.stopProvision({ name }))}
            loading={busy === "stop"}
          >
            Stop
          </Button>
          <span className={style.note}>It goes on when this is closed.</span>
        </div>
      ) : (
        open.length > 0 && (
          <div className={style.buttons}>
            <Button type="submit" variant="filled" loading={busy === "provision"} data-stage-focus>
              {failed === undefined ? "Set up" : "Try again from the failed step"}
            </Button>
            {asked && lacking.length > 0 && (
              <span className={style.bad} role="alert">
                Agree to what is marked first, or leave it: nothing has been changed.
              </span>
            )}
          </div>
        )
      )}
      <div className={style.hidden} role="status">
        {setUpSentence(plan)}
      </div>
      <Confirm
        opened={undoing !== undefined}
        title={`Undo: ${plan.steps.find(({ id }) => id === undoing)?.title ?? ""}`}
        text={`What this step did on ${name} is taken back. The board cannot take part in studies until it is done again.`}
        yes="Undo it"
        onYes={async () => {
          if (undoing === undefined) return;
          const password = sudo === "" ? {} : { sudoPassword: sudo };
          setBoard(await client.boards.undo({ name, step: undoing, ...password }));
        }}
        onClose={() => setUndoing(undefined)}
      >
        {undoNeedsSudo && (
          <PasswordInput
            label="Password for sudo"
            description={`Of ${view.facts?.user ?? "the user"} on ${name}; used for this and kept nowhere.`}
            value={sudo}
            onChange={(event) => setSudo(event.currentTarget.value)}
            autoComplete="off"
          />
        )}
      </Confirm>
    </form>
  );
};
