import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { messageOf } from "#renderer/state/states.ts";
import { useData, useStates } from "#renderer/state/use-states.ts";
import { Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import style from "./data.module.css";
import { FolderBrowser } from "./folder-browser.tsx";
import { TransferLine } from "./transfer-line.tsx";

interface RegisterProps {
  readonly opened: boolean;
  /** Of which known data set a copy is registered; undefined: the person's own. */
  readonly name: string | undefined;
  readonly onClose: () => void;
}

export const RegisterDialog = ({ opened, name, onClose }: RegisterProps) => (
  <Dialog
    opened={opened}
    onClose={onClose}
    title={name === undefined ? "Register a folder or an archive" : `Register a copy of ${name}`}
    size="xl"
  >
    <Fields name={name} onClose={onClose} />
  </Dialog>
);

const Fields = ({ name: given, onClose }: Omit<RegisterProps, "opened">) => {
  const { client } = useStates();
  const toast = useToast();
  const [path, setPath] = useState("");
  const [name, setName] = useState(given ?? "");
  const [browsing, setBrowsing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [missing, setMissing] = useState(false);
  const transfers = useData((state) => state.view?.transfers);
  const transfer = transfers?.find((t) => t.what === "register" && t.state === "running");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (path.trim() === "") return setMissing(true);
    setBusy(true);
    setProblem(undefined);
    try {
      const wanted = name.trim();
      const entry = await client.data.register({
        path: path.trim(),
        ...(wanted === "" ? {} : { name: wanted }),
      });
      toast({ tone: "ok", text: `${entry.name} is on the list.` });
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  const choose = (chosen: string) => {
    setPath(chosen);
    setMissing(false);
    setProblem(undefined);
  };
  return (
    <form className={style.form} onSubmit={submit} noValidate>
      <p>
        <Small>
          Files of MNIST or CIFAR form, as their sources give them, packed or not. They are read and examined,
          and stay where they are.
        </Small>
      </p>
      <div className={style.pathRow}>
        <TextInput
          label="Folder or archive"
          description="Its whole path on this computer; ~ is your home folder."
          value={path}
          onChange={(event) => choose(event.currentTarget.value)}
          error={missing ? "Say where it lies, or look for it below." : undefined}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
        />
        <Button onClick={() => setBrowsing(!browsing)} aria-expanded={browsing}>
          {browsing ? "Close the list" : "Look for it"}
        </Button>
      </div>
      {browsing && <FolderBrowser onChoose={choose} chosen={path} />}
      {given === undefined && (
        <TextInput
          label="Name"
          description="What studies call it; left empty, it is called as the folder or archive is."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={200}
          spellCheck={false}
          autoComplete="off"
        />
      )}
      {busy && (
        <div role="status">
          {transfer === undefined ? (
            <Small>Reading and examining it.</Small>
          ) : (
            <TransferLine transfer={transfer} />
          )}
        </div>
      )}
      {problem !== undefined && <Problem text={problem} />}
      <DialogActions>
        <Button onClick={onClose}>{busy ? "Close; it goes on" : "Cancel"}</Button>
        <Button type="submit" variant="filled" loading={busy}>
          Register
        </Button>
      </DialogActions>
    </form>
  );
};
