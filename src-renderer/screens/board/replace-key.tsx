import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { BoardProblem, BoardView } from "#contract/boards.ts";
import { Fingerprint } from "#renderer/screens/add-board/host-key.tsx";
import { useReached } from "#renderer/screens/add-board/use-reached.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { DialogActions } from "#renderer/ui/dialog.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import style from "./board.module.css";
import { BoardProblemBox, Commands } from "./board-problem.tsx";
import { checkCommand } from "./board-words.ts";

/** The one way to take another key for a board's: both are shown, and its name is typed. */
export const ReplaceKey = ({ view, onClose }: { readonly view: BoardView; readonly onClose: () => void }) => {
  const { client, setBoard } = useStates();
  const toast = useToast();
  const { reached, problem: unreached, again } = useReached(view.target);
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<BoardProblem>();
  const same = reached?.key.fingerprint === view.hostKey.fingerprint;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (reached === undefined || typed !== view.name) return;
    setBusy(true);
    setProblem(undefined);
    try {
      setBoard(
        await client.boards.replaceKey({
          name: view.name,
          typedName: typed,
          fingerprint: reached.key.fingerprint,
        }),
      );
      toast({ tone: "ok", text: `${view.name} has another key now.` });
      onClose();
    } catch (error) {
      setProblem(asBoardProblem(error));
      setBusy(false);
    }
  };
  const leave = (
    <Button onClick={onClose} data-autofocus>
      {reached !== undefined && !same ? "Keep the known key" : "Close"}
    </Button>
  );
  if (reached === undefined || reached.isJump || same) {
    return (
      <div className={style.form}>
        <Fingerprint title="Known" {...view.hostKey} />
        {unreached !== undefined && (
          <BoardProblemBox problem={unreached} onAction={again} hide={["edit-target", "sign-in"]} />
        )}
        {unreached === undefined && (
          <p role="status">
            {reached === undefined
              ? "Looking which key it shows now."
              : same
                ? "It shows the key that is known: there is nothing to replace."
                : `The host in between, ${reached.host}, does not show the key that is known of it. The board behind it is not reached before that is settled.`}
          </p>
        )}
        <DialogActions>{leave}</DialogActions>
      </div>
    );
  }
  return (
    <form className={style.form} onSubmit={submit} noValidate>
      <p>
        Only a board that was set up anew has another key. If nobody did that, somebody else answers at its
        address: leave, and find out who.
      </p>
      <Fingerprint title="Known" {...view.hostKey} />
      <Fingerprint title="It shows now" {...reached.key} />
      <div>
        <p>On the board itself this has to say the same as the second:</p>
        <Commands lines={[checkCommand(reached.key.type)]} what="the command" label="Shows the fingerprint" />
      </div>
      <TextInput
        label={`Type ${view.name} to take the new key`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={asked && typed !== view.name ? `This is not ${view.name}.` : undefined}
        spellCheck={false}
        autoComplete="off"
      />
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <DialogActions>
        {leave}
        <Button type="submit" variant="filled" color="red" loading={busy}>
          Replace the key
        </Button>
      </DialogActions>
    </form>
  );
};
