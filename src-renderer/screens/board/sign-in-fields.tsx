import { Autocomplete, Button, Checkbox, PasswordInput, SegmentedControl } from "@mantine/core";
import { useEffect, useState } from "react";
import type { SecretsView, SignIn } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { useToast } from "#renderer/ui/toasts.tsx";
import style from "./board.module.css";
import { leavesASecret, type SignInForm, signInErrors, type Ways, withKind } from "./sign-in-form.ts";

/** How one signs in: a password, a private key, the agent, or the lab's own key where it is installed already. */
export const SignInFields = ({
  form,
  onChange,
  ways,
  asked,
  user,
}: {
  readonly form: SignInForm;
  readonly onChange: (form: SignInForm) => void;
  readonly ways: Ways;
  /** Somebody wants to go on: what is lacking is marked. */
  readonly asked: boolean;
  /** With whom; undefined: each board's own. */
  readonly user: string | undefined;
}) => {
  const errors = asked ? signInErrors(form) : {};
  const kinds: { value: SignIn["kind"]; label: string }[] = [
    { value: "password", label: "Password" },
    { value: "key", label: "Private key" },
    ...(ways.agent ? [{ value: "agent" as const, label: "Agent" }] : []),
    ...(ways.labKey ? [{ value: "lab-key" as const, label: "The lab's key" }] : []),
  ];
  const who = user === undefined ? "there" : `as ${user}`;
  return (
    <div className={style.form}>
      <SegmentedControl
        value={form.kind}
        onChange={(kind) => onChange(withKind(form, kind as SignIn["kind"]))}
        data={kinds}
        aria-label="How to sign in"
      />
      {form.kind === "password" && (
        <PasswordInput
          label={user === undefined ? "Password" : `Password of ${user}`}
          value={form.password}
          onChange={(event) => onChange({ ...form, password: event.currentTarget.value })}
          error={errors.password}
          autoComplete="off"
          data-stage-focus
        />
      )}
      {form.kind === "key" && (
        <div className={style.two}>
          <Autocomplete
            label="Private key"
            description="A file on this computer; it is read each time and never copied."
            data={[...ways.keys]}
            value={form.keyPath}
            onChange={(keyPath) => onChange({ ...form, keyPath })}
            error={errors.keyPath}
            placeholder="~/.ssh/id_ed25519"
            spellCheck={false}
            data-stage-focus
          />
          <PasswordInput
            label="Passphrase"
            description="Leave it empty where the key has none."
            value={form.passphrase}
            onChange={(event) => onChange({ ...form, passphrase: event.currentTarget.value })}
            autoComplete="off"
          />
        </div>
      )}
      {form.kind === "agent" && (
        <p className={style.note}>
          The agent of this computer signs in {who}. It has to be there whenever the lab connects.
        </p>
      )}
      {form.kind === "lab-key" && (
        <p className={style.note}>
          Works where the lab's own key was installed before: by the lab, or by whoever set the board up.
        </p>
      )}
      {form.kind !== "lab-key" && (
        <Checkbox
          checked={form.installKey}
          onChange={(event) => onChange({ ...form, installKey: event.currentTarget.checked })}
          label={
            form.kind === "password"
              ? "Install the lab's own key there, and forget the password"
              : "Install the lab's own key there, to depend on nothing else"
          }
          description="A line in ~/.ssh/authorized_keys of this user; it goes when the board is removed from the fleet."
        />
      )}
      {leavesASecret(form) && <KeptInMemory form={form} />}
    </div>
  );
};

/** Where nothing is kept beyond the lab's process, it is said before it matters. */
const KeptInMemory = ({ form }: { readonly form: SignInForm }) => {
  const { client } = useStates();
  const toast = useToast();
  const [secrets, setSecrets] = useState<SecretsView>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let left = false;
    client.boards.secrets().then(
      (view) => left || setSecrets(view),
      () => {},
    );
    return () => {
      left = true;
    };
  }, [client]);
  if (secrets?.kept !== "memory") return null;
  const what =
    form.installKey || form.kind === "lab-key"
      ? "The lab's own key"
      : form.kind === "key"
        ? "The passphrase"
        : "The password";
  const keep = async () => {
    setBusy(true);
    try {
      const view = await client.boards.keepSecretsInFile({ keep: true });
      setSecrets(view);
      toast({ tone: "ok", text: `Secrets rest in ${view.path ?? "a file"} now, readable by you alone.` });
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
      setBusy(false);
    }
  };
  return (
    <div className={style.problem} data-tone="warn" role="status">
      <p>
        {what} is kept in memory only: after a restart of the lab you are asked to sign in again.
        {secrets.note === undefined ? "" : ` ${secrets.note}`}
      </p>
      {secrets.canUseFile && (
        <div className={style.buttons}>
          <Button size="xs" onClick={keep} loading={busy}>
            Keep it in a file only you can read (mode 0600)
          </Button>
        </div>
      )}
    </div>
  );
};
