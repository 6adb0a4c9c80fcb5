import { Autocomplete, Button, Checkbox, PasswordInput, SegmentedControl } from "@mantine/core";
import { useEffect, useState } from "react";
import type { SecretsView, SignIn } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Buttons, formClass, noteClass, twoColumnsClass } from "#renderer/ui/form.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { ProblemFrame } from "./board-problem-box.tsx";
import { leavesASecret, type SignInForm, type SignInWays, signInErrors, withKind } from "./sign-in-form.ts";

/** How to sign in: with a password, a private key, the SSH agent, or the lab's own key if it is installed already. */
export const SignInFields = ({
  form,
  onChange,
  ways,
  asked,
  user,
}: {
  readonly form: SignInForm;
  readonly onChange: (form: SignInForm) => void;
  readonly ways: SignInWays;
  /** The person tried to continue: mark what is missing. */
  readonly asked: boolean;
  /** The user to sign in as; undefined: each board's own. */
  readonly user: string | undefined;
}) => {
  const errors = asked ? signInErrors(form) : {};
  const kinds: { value: SignIn["kind"]; label: string }[] = [
    { value: "password", label: "Password" },
    { value: "key", label: "Private key" },
    ...(ways.agent ? [{ value: "agent" as const, label: "SSH agent" }] : []),
    ...(ways.labKey ? [{ value: "lab-key" as const, label: "Lab key" }] : []),
  ];
  const who = user === undefined ? "" : ` as ${user}`;
  return (
    <div className={formClass}>
      <SegmentedControl
        value={form.kind}
        onChange={(kind) => onChange(withKind(form, kind as SignIn["kind"]))}
        data={kinds}
        aria-label="How to sign in"
      />
      {form.kind === "password" && (
        <PasswordInput
          label={user === undefined ? "Password" : `Password for ${user}`}
          value={form.password}
          onChange={(event) => onChange({ ...form, password: event.currentTarget.value })}
          error={errors.password}
          autoComplete="off"
          data-stage-focus
        />
      )}
      {form.kind === "key" && (
        <div className={twoColumnsClass}>
          <Autocomplete
            label="Private key"
            description="A file on this computer. The lab reads it at each sign-in and never copies it."
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
            description="Leave empty if the key has none."
            value={form.passphrase}
            onChange={(event) => onChange({ ...form, passphrase: event.currentTarget.value })}
            autoComplete="off"
          />
        </div>
      )}
      {form.kind === "agent" && (
        <p className={noteClass}>
          This computer's SSH agent signs in{who}. It must be running whenever the lab connects.
        </p>
      )}
      {form.kind === "lab-key" && (
        <p className={noteClass}>This works if the lab's own key is already installed on the board.</p>
      )}
      {form.kind !== "lab-key" && (
        <Checkbox
          checked={form.installKey}
          onChange={(event) => onChange({ ...form, installKey: event.currentTarget.checked })}
          label={
            form.kind === "password"
              ? "Install the lab's key on the board, and do not keep the password"
              : "Install the lab's key on the board, so that later sign-ins need nothing else"
          }
          description="Adds one line to the user's ~/.ssh/authorized_keys. Removing the board from the fleet removes it."
        />
      )}
      {leavesASecret(form) && <KeptInMemory form={form} />}
    </div>
  );
};

/** Warns, before it matters, that a restart of the lab will lose this secret. */
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
      ? "The lab's key"
      : form.kind === "key"
        ? "The passphrase"
        : "The password";
  const keep = async () => {
    setBusy(true);
    try {
      const view = await client.boards.keepSecretsInFile({ keep: true });
      setSecrets(view);
      toast({
        tone: "ok",
        text: `Secrets are now kept in ${view.path ?? "a file"}, which only you can read.`,
      });
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
      setBusy(false);
    }
  };
  return (
    <ProblemFrame tone="warn">
      <p>
        {what} is kept in memory only. After a restart of the lab you will have to sign in again.
        {secrets.note === undefined ? "" : ` ${secrets.note}`}
      </p>
      {secrets.canUseFile && (
        <Buttons>
          <Button size="xs" onClick={keep} loading={busy}>
            Keep it in a file that only you can read (mode 0600)
          </Button>
        </Buttons>
      )}
    </ProblemFrame>
  );
};
