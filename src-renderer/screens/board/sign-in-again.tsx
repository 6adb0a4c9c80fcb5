import { Button } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { BoardProblem, BoardView } from "#contract/boards.ts";
import { useReached } from "#renderer/screens/add-board/use-reached.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { DialogActions } from "#renderer/ui/dialog.tsx";
import style from "./board.module.css";
import { BoardProblemBox } from "./board-problem.tsx";
import { SignInFields } from "./sign-in-fields.tsx";
import { freshSignIn, type SignInForm, signInErrors, signInOf } from "./sign-in-form.ts";

const NO_WAYS = { agent: false, keys: [], labKey: false } as const;

/** Another way to sign in at a board that is known: only its own key is signed in to. */
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
  if (reached?.trust === "changed" && !reached.isJump) {
    return (
      <div className={style.form}>
        <div className={style.problem} role="alert">
          <p className={style.problemTitle}>Another machine answers there</p>
          <p>
            It shows a key that is not {view.name}'s. Nothing was sent. If the board was set up anew, replace
            its key first; otherwise find out who answers.
          </p>
        </div>
        <DialogActions>
          <Button onClick={onReplaceKey}>Compare the keys</Button>
          <Button variant="filled" onClick={onClose} data-autofocus>
            Leave
          </Button>
        </DialogActions>
      </div>
    );
  }
  return (
    <form className={style.form} onSubmit={submit} noValidate>
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
