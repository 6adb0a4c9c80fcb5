import { Button, TextInput, VisuallyHidden } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { BoardAction, BoardView, ProvisionPlan, StepId } from "#contract/boards.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { Disclosure } from "#renderer/ui/disclosure.tsx";
import { Buttons, badClass, formClass, noteClass } from "#renderer/ui/form.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import style from "./set-up.module.css";
import { openSteps, setUpSentence } from "./set-up-plan.ts";
import { SetUpStep } from "./set-up-step.tsx";
import { SudoPassword } from "./sudo-password.tsx";
import { useSetUp } from "./use-set-up.ts";

/** A board's setup: what the lab will run, what it needs the person's consent for, and how far it is. */
export const SetUp = ({
  view,
  plan,
  onAction,
}: {
  readonly view: BoardView;
  readonly plan: ProvisionPlan;
  /** For actions of problems outside the setup: a new address, a new sign-in. */
  readonly onAction: (action: BoardAction) => void;
}) => {
  const { name } = view;
  const setUp = useSetUp(view, plan);
  const [wantsImage, setWantsImage] = useState(false);
  const [undoing, setUndoing] = useState<StepId>();
  const form = useRef<HTMLFormElement>(null);
  const sudoField = useRef<HTMLInputElement>(null);
  const imageField = useRef<HTMLInputElement>(null);
  const { running } = plan;
  const open = openSteps(plan.steps);
  const sudoText = (purpose: string) =>
    `For ${view.facts?.user ?? "the user"} on ${name}. Used ${purpose} and not kept.`;
  const offersImage =
    wantsImage || open.some(({ id }) => id === "image") || (setUp.imageFile !== "" && !plan.ready);
  // the field exists only after the next drawing
  useEffect(() => {
    if (wantsImage) imageField.current?.focus();
  }, [wantsImage]);

  const start = (steps?: readonly StepId[]) => {
    const lack = setUp.start(steps);
    if (lack === "sudo") sudoField.current?.focus();
    else if (lack !== undefined)
      form.current?.querySelector<HTMLInputElement>(`[name="agree ${lack.consent}"]`)?.focus();
  };
  const onStepAction = (action: BoardAction) => {
    if (action.do === "retry") start();
    else if (action.do === "step") start([action.step]);
    else if (action.do === "ask-sudo") sudoField.current?.focus();
    else if (action.do === "load-image") setWantsImage(true);
    else onAction(action);
  };

  return (
    <form
      ref={form}
      className={formClass}
      onSubmit={(event) => {
        event.preventDefault();
        if (!running) start();
      }}
      noValidate
    >
      <ol className={style.steps} aria-label={`Setup of ${name}`}>
        {plan.steps.map((step) => (
          <SetUpStep
            key={step.id}
            step={step}
            running={running}
            agreed={setUp.agreed.has(step.id)}
            asked={setUp.asked}
            onAgree={(yes) => setUp.agree(step.id, yes)}
            onAction={onStepAction}
            onUndo={() => setUndoing(step.id)}
          />
        ))}
      </ol>
      {setUp.needsSudo && !running && (
        <SudoPassword
          ref={sudoField}
          className={style.sudo}
          description={sudoText("for this setup only")}
          value={setUp.sudo}
          onChange={setUp.setSudo}
          error={setUp.asked && setUp.sudo === "" ? "Some steps need administrator rights." : undefined}
        />
      )}
      {offersImage && !running && (
        <Disclosure summary="No internet on the board? Use a saved image" open={wantsImage}>
          <TextInput
            ref={imageField}
            label="Saved image"
            description="Full path on this computer of a file made by docker save. The lab sends it to the board, which then does not build its own."
            value={setUp.imageFile}
            onChange={(event) => setUp.setImageFile(event.currentTarget.value)}
            placeholder="/home/me/fedfleet-client.tar"
            spellCheck={false}
            autoComplete="off"
          />
        </Disclosure>
      )}
      {setUp.problem !== undefined && <BoardProblemBox problem={setUp.problem} onAction={onStepAction} />}
      {running ? (
        <Buttons>
          <Button onClick={setUp.stop} loading={setUp.busy === "stop"}>
            Stop
          </Button>
          <span className={noteClass}>The setup continues if you leave this page.</span>
        </Buttons>
      ) : (
        open.length > 0 && (
          <Buttons>
            <Button type="submit" variant="filled" loading={setUp.busy === "start"} data-stage-focus>
              {plan.steps.some(({ state }) => state === "failed") ? "Retry from the failed step" : "Set up"}
            </Button>
            {setUp.asked && setUp.lacking.length > 0 && (
              <span className={badClass} role="alert">
                Agree to the marked steps first. Nothing has been changed yet.
              </span>
            )}
          </Buttons>
        )
      )}
      <VisuallyHidden role="status">{setUpSentence(plan)}</VisuallyHidden>
      <Confirm
        opened={undoing !== undefined}
        title={`Undo: ${plan.steps.find(({ id }) => id === undoing)?.title ?? ""}`}
        text={`The lab reverts what this step did on ${name}. The board cannot take part in studies until the step is done again.`}
        yes="Undo"
        onYes={async () => {
          if (undoing !== undefined) await setUp.undo(undoing);
        }}
        onClose={() => setUndoing(undefined)}
      >
        {view.facts?.sudo === "password" &&
          plan.steps.find(({ id }) => id === undoing)?.needsSudo === true && (
            <SudoPassword
              description={sudoText("for this step only")}
              value={setUp.sudo}
              onChange={setUp.setSudo}
            />
          )}
      </Confirm>
    </form>
  );
};
