import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { BoardProblem, BoardView, Reached } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Commands } from "#renderer/ui/commands.tsx";
import { DialogActions } from "#renderer/ui/dialog.tsx";
import { formClass } from "#renderer/ui/form.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import { Fingerprint } from "./fingerprint.tsx";
import { fingerprintCommand } from "./host-key-check.ts";
import { useReached } from "./use-reached.ts";

/** Replaces the host key of a board. Both keys are shown, and the person types the board's name to confirm. */
export const ReplaceKey = ({ view, onClose }: { readonly view: BoardView; readonly onClose: () => void }) => {
  const { reached, problem, again } = useReached(view.target);
  const same = reached?.key.fingerprint === view.hostKey.fingerprint;
  if (reached !== undefined && !reached.isJump && !same)
    return <Replacement view={view} reached={reached} onClose={onClose} />;
  return (
    <div className={formClass}>
      <Fingerprint title="Known key" {...view.hostKey} />
      {problem === undefined ? (
        <p role="status">{whyNothingToReplace(reached, same)}</p>
      ) : (
        <BoardProblemBox problem={problem} onAction={again} hide={["edit-target", "sign-in"]} />
      )}
      <DialogActions>
        <Button onClick={onClose} data-autofocus>
          Close
        </Button>
      </DialogActions>
    </div>
  );
};

const whyNothingToReplace = (reached: Reached | undefined, same: boolean): string => {
  if (reached === undefined) return "Reading the key that the board shows now.";
  if (same) return "The board shows the known key. There is nothing to replace.";
  return `The jump host ${reached.host} shows a key that the lab does not know. Settle that first; until then the lab does not connect to the board behind it.`;
};

const Replacement = ({
  view,
  reached,
  onClose,
}: {
  readonly view: BoardView;
  readonly reached: Reached;
  readonly onClose: () => void;
}) => {
  const { client, setBoard } = useStates();
  const toast = useToast();
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<BoardProblem>();
  const { name } = view;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (typed !== name) return;
    setBusy(true);
    setProblem(undefined);
    try {
      setBoard(
        await client.boards.replaceKey({ name, typedName: typed, fingerprint: reached.key.fingerprint }),
      );
      toast({ tone: "ok", text: `Replaced the key of ${name}.` });
      onClose();
    } catch (error) {
      setProblem(asBoardProblem(error));
      setBusy(false);
    }
  };
  return (
    <form className={formClass} onSubmit={submit} noValidate>
      <p>
        A board gets a new key only when its system is reinstalled. If nobody reinstalled {name}, a different
        machine answers at its address: keep the known key, and find out which machine it is.
      </p>
      <Fingerprint title="Known key" {...view.hostKey} />
      <Fingerprint title="Shown now" {...reached.key} />
      <div className={formClass}>
        <p>Run this on the board itself. It must print the second fingerprint:</p>
        <Commands
          lines={[fingerprintCommand(reached.key.type)]}
          what="the command"
          label="Command that prints the fingerprint"
        />
      </div>
      <TextInput
        label={`Type ${name} to replace the key`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={asked && typed !== name ? `Type ${name} exactly.` : undefined}
        spellCheck={false}
        autoComplete="off"
      />
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <DialogActions>
        <Button onClick={onClose} data-autofocus>
          Keep the known key
        </Button>
        <Button type="submit" variant="filled" color="red" loading={busy}>
          Replace the key
        </Button>
      </DialogActions>
    </form>
  );
};
