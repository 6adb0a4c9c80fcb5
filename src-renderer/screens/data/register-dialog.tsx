import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { messageOf } from "#renderer/state/message-of.ts";
import { useData, useStates } from "#renderer/state/use-states.ts";
import { Dialog, DialogActions } from "#renderer/ui/dialog.tsx";
import { formClass } from "#renderer/ui/form.tsx";
import { Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { FolderBrowser } from "./folder-browser.tsx";
import style from "./register-dialog.module.css";
import { TransferLine } from "./transfer-line.tsx";

interface RegisterDialogProps {
  readonly opened: boolean;
  /** The known data set whose copy is registered; undefined: the person's own data. */
  readonly name: string | undefined;
  readonly onClose: () => void;
}

export const RegisterDialog = ({ opened, name, onClose }: RegisterDialogProps) => (
  <Dialog
    opened={opened}
    onClose={onClose}
    title={name === undefined ? "Register a folder or archive" : `Register a copy of ${name}`}
    size="xl"
  >
    <RegisterForm name={name} onClose={onClose} />
  </Dialog>
);

const RegisterForm = ({ name: given, onClose }: Omit<RegisterDialogProps, "opened">) => {
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
      toast({ tone: "ok", text: `Registered ${entry.name}.` });
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
    <form className={formClass} onSubmit={submit} noValidate>
      <p>
        <Small>
          Files in MNIST or CIFAR format, as published, compressed or not. The lab reads and checks them; they
          stay where they are.
        </Small>
      </p>
      <div className={style.pathRow}>
        <TextInput
          label="Folder or archive"
          description="Full path on this computer; ~ is your home folder."
          value={path}
          onChange={(event) => choose(event.currentTarget.value)}
          error={missing ? "Enter a path, or browse for it." : undefined}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
        />
        <Button onClick={() => setBrowsing(!browsing)} aria-expanded={browsing}>
          {browsing ? "Hide folders" : "Browse…"}
        </Button>
      </div>
      {browsing && <FolderBrowser onChoose={choose} chosen={path} />}
      {given === undefined && (
        <TextInput
          label="Name"
          description="The name in studies. Leave empty to use the name of the folder or archive."
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
            <Small>Reading and checking the files…</Small>
          ) : (
            <TransferLine transfer={transfer} />
          )}
        </div>
      )}
      {problem !== undefined && <Problem text={problem} />}
      <DialogActions>
        <Button onClick={onClose}>{busy ? "Continue in background" : "Cancel"}</Button>
        <Button type="submit" variant="filled" loading={busy}>
          Register
        </Button>
      </DialogActions>
    </form>
  );
};
