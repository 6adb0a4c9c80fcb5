import { Button } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { BoardProblem, BoardView } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { DialogActions } from "#renderer/ui/dialog.tsx";
import { formClass } from "#renderer/ui/form.tsx";
import { BoardProblemBox, ProblemFrame } from "./board-problem-box.tsx";
import { SignInFields } from "./sign-in-fields.tsx";
import { freshSignIn, type SignInForm, signInErrors, signInOf } from "./sign-in-form.ts";
import { useReached } from "./use-reached.ts";

const NO_WAYS = { agent: false, keys: [], labKey: false } as const;

/** A new way to sign in at a board of the fleet; only a machine with the board's own key is signed in to. */
export const SignInAgain = ({
  view,
  onClose,
  onReplaceKey,
}: {
  readonly view: BoardView;
  readonly onClose: () => void;
  readonly onReplaceKey: () => void;
}) => {
  const { client, setBoard } = useStates();
  const { reached, problem: unreached, again } = useReached(view.target);
  const [typed, setTyped] = useState<SignInForm>();
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<BoardProblem>();
  const ways = reached?.ways ?? NO_WAYS;
  const form = typed ?? freshSignIn(ways, false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (Object.keys(signInErrors(form)).length > 0) return;
    setBusy(true);
    setProblem(undefined);
    try {
      setBoard(
        await client.boards.change({
          name: view.name,
          signIn: signInOf(form),
          installKey: form.installKey,
        }),
      );
      onClose();
    } catch (error) {
      setProblem(asBoardProblem(error));
      setBusy(false);
    }
  };
  if (reached?.trust === "changed" && !reached.isJump)
    return <DifferentKey name={view.name} onReplaceKey={onReplaceKey} onClose={onClose} />;
  return (
    <form className={formClass} onSubmit={submit} noValidate>
      {unreached !== undefined && (
        <BoardProblemBox problem={unreached} onAction={again} hide={["edit-target", "sign-in"]} tone="warn" />
      )}
      <SignInFields
        form={form}
        onChange={setTyped}
        ways={ways}
        asked={asked}
        user={reached?.user ?? view.target.user}
      />
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" loading={busy}>
          Sign in
        </Button>
      </DialogActions>
    </form>
  );
};

const DifferentKey = ({
  name,
  onReplaceKey,
  onClose,
}: {
  readonly name: string;
  readonly onReplaceKey: () => void;
  readonly onClose: () => void;
}) => (
  <div className={formClass}>
    <ProblemFrame title="A different machine answers at this address">
      <p>
        Its host key is not the key of {name}. The lab sent nothing to it. If you reinstalled the board,
        replace its key first; otherwise find out which machine answers.
      </p>
    </ProblemFrame>
    <DialogActions>
      <Button onClick={onReplaceKey}>Compare keys</Button>
      <Button variant="filled" onClick={onClose} data-autofocus>
        Close
      </Button>
    </DialogActions>
  </div>
);
