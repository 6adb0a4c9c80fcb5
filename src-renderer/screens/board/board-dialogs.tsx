import { Button, Checkbox, Radio, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import type { BoardProblem, BoardView } from "#contract/boards.ts";
import { AddressForm } from "#renderer/screens/add-board/address-form.tsx";
import { targetText } from "#renderer/screens/add-board/board-target.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Confirm, Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import style from "./board.module.css";
import { BoardProblemBox } from "./board-problem.tsx";
import { ReplaceKey } from "./replace-key.tsx";
import { SignInAgain } from "./sign-in-again.tsx";
import type { BoardDialog } from "./use-board-actions.ts";

/** What is changed of a board: each in a dialog of its own. */
export const BoardDialogs = ({
  view,
  opened,
  onClose,
  onOpen,
}: {
  readonly view: BoardView;
  readonly opened: BoardDialog | undefined;
  readonly onClose: () => void;
  readonly onOpen: (dialog: BoardDialog) => void;
}) => {
  const { client } = useStates();
  const [, navigate] = useLocation();
  const toast = useToast();
  const [cleanUp, setCleanUp] = useState(true);
  const { name } = view;
  return (
    <>
      <Dialog
        opened={opened === "address"}
        title={`Where is ${name}?`}
        size="lg"
        onClose={onClose}
        returnTo="board-address"
        keepOnClickOutside
      >
        <Address view={view} onClose={onClose} />
      </Dialog>
      <Dialog
        opened={opened === "sign-in"}
        title={`Sign in at ${name}`}
        size="lg"
        onClose={onClose}
        returnTo="board-sign-in"
        keepOnClickOutside
      >
        <SignInAgain view={view} onClose={onClose} onReplaceKey={() => onOpen("replace-key")} />
      </Dialog>
      <Dialog
        opened={opened === "data"}
        title={`Data on ${name}`}
        size="lg"
        onClose={onClose}
        returnTo="board-data"
      >
        <Data view={view} onClose={onClose} />
      </Dialog>
      <Dialog
        opened={opened === "replace-key"}
        title={`Replace the key of ${name}`}
        size="lg"
        onClose={onClose}
        returnTo="board-replace-key"
        keepOnClickOutside
      >
        <ReplaceKey view={view} onClose={onClose} />
      </Dialog>
      <Confirm
        opened={opened === "remove"}
        title={`Remove ${name} from the fleet?`}
        text={`${name} goes off the list, and what the lab knows of it: its address, its key, its sign-in. Its rounds on record stay.`}
        yes="Remove it"
        onYes={async () => {
          const { left } = await client.boards.remove({ name, cleanUp });
          navigate("/fleet");
          toast(
            left === undefined
              ? {
                  tone: "ok",
                  text: `${name} is removed${cleanUp ? ", and what the lab put there with it" : ""}.`,
                }
              : { tone: "bad", text: left },
          );
        }}
        onClose={onClose}
        returnTo="board-remove"
      >
        <Checkbox
          mt={14}
          checked={cleanUp}
          onChange={(event) => setCleanUp(event.currentTarget.checked)}
          label="Take away what the lab put on the board, too"
          description="Its containers, the client image, the data sent for studies, and the line of the lab's key in authorized_keys. Docker stays installed."
        />
      </Confirm>
    </>
  );
};

interface PartProps {
  readonly view: BoardView;
  readonly onClose: () => void;
}

const useChange = (name: string, onClose: () => void) => {
  const { client, setBoard } = useStates();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<BoardProblem>();
  const change = async (what: Omit<Parameters<typeof client.boards.change>[0], "name">) => {
    setBusy(true);
    setProblem(undefined);
    try {
      setBoard(await client.boards.change({ name, ...what }));
      onClose();
    } catch (error) {
      setProblem(asBoardProblem(error));
      setBusy(false);
    }
  };
  return { change, busy, problem };
};

const Address = ({ view, onClose }: PartProps) => {
  const [typed, setTyped] = useState(() => targetText(view.target));
  const { change, busy, problem } = useChange(view.name, onClose);
  return (
    <div className={style.form}>
      <p className={style.note}>
        It has to be the same machine: its host key is compared, and another one is refused.
      </p>
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <AddressForm
        typed={typed}
        onType={setTyped}
        onTarget={(target) => change({ target })}
        onCancel={onClose}
        verb="Connect there"
        busy={busy}
      />
    </div>
  );
};

const Data = ({ view, onClose }: PartProps) => {
  const [own, setOwn] = useState(view.dataFolder !== undefined);
  const [folder, setFolder] = useState(view.dataFolder ?? "");
  const [asked, setAsked] = useState(false);
  const { change, busy, problem } = useChange(view.name, onClose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (own && folder.trim() === "") return setAsked(true);
    void change({ dataFolder: own ? folder.trim() : null });
  };
  return (
    <form className={style.form} onSubmit={submit} noValidate>
      <Radio.Group
        value={own ? "own" : "sent"}
        onChange={(value) => setOwn(value === "own")}
        label="Where its data come from"
      >
        <div className={style.radios}>
          <Radio
            value="sent"
            label="The lab sends each study's part"
            description="Checksummed, only what is missing; it goes with the study where that is asked for."
          />
          <Radio
            value="own"
            label="A folder on the board"
            description="It has the data set in one of its published formats; the lab sends only which pictures are its own."
          />
        </div>
      </Radio.Group>
      {own && (
        <TextInput
          label="Folder on the board"
          value={folder}
          onChange={(event) => setFolder(event.currentTarget.value)}
          error={asked && folder.trim() === "" ? "Say where the data lie on the board." : undefined}
          placeholder="/data/fashion-mnist"
          spellCheck={false}
          autoComplete="off"
        />
      )}
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <Small>It counts from the next study on.</Small>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" loading={busy}>
          Keep
        </Button>
      </DialogActions>
    </form>
  );
};
