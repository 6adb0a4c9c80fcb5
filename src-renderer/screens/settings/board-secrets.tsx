import { Switch } from "@mantine/core";
import { useEffect, useState } from "react";
import type { SecretsView } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { monoClass } from "#renderer/ui/form.tsx";
import { Card, Pill, Problem, Small } from "#renderer/ui/page.tsx";
import style from "./board-secrets.module.css";

interface SecretsPlace {
  readonly title: string;
  readonly text: string;
  readonly tone: "ok" | "warn";
}

const PLACES: Readonly<Record<SecretsView["kept"], SecretsPlace>> = {
  "safe-storage": {
    title: "Encrypted",
    text: "The system's key store encrypts them. Someone who copies the file cannot read it.",
    tone: "ok",
  },
  file: {
    title: "In a file that only you can read",
    text: "The file has mode 0600, so other users of this computer cannot read it. It is not encrypted: anyone with access to your account or a copy of your disk can read it.",
    tone: "ok",
  },
  memory: {
    title: "In memory only",
    text: "They are lost when the lab ends. After a restart you have to sign in again to boards that use a password, a passphrase or the lab's key.",
    tone: "warn",
  },
};

/** Where the lab keeps passwords, passphrases and its own SSH key, and what that means. */
export const BoardSecrets = () => {
  const { client } = useStates();
  const [view, setView] = useState<SecretsView>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let left = false;
    client.boards.secrets().then(
      (found) => left || setView(found),
      (error) => left || setProblem(messageOf(error)),
    );
    return () => {
      left = true;
    };
  }, [client]);
  const keep = async (wanted: boolean) => {
    setBusy(true);
    setProblem(undefined);
    try {
      setView(await client.boards.keepSecretsInFile({ keep: wanted }));
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title="Board secrets" note="passwords, passphrases and the lab's SSH key">
      {problem !== undefined && <Problem text={problem} />}
      {view !== undefined && (
        <div className={style.secrets}>
          <p>
            <Pill tone={PLACES[view.kept].tone} mark={PLACES[view.kept].tone === "ok" ? "✓" : "!"}>
              {PLACES[view.kept].title}
            </Pill>
          </p>
          <p>{PLACES[view.kept].text}</p>
          {view.path !== undefined && (
            <p>
              <code className={monoClass}>{view.path}</code>
            </p>
          )}
          {view.note !== undefined && (
            <p>
              <Small>{view.note}</Small>
            </p>
          )}
          {view.canUseFile && (
            <Switch
              checked={view.kept === "file"}
              disabled={busy}
              onChange={(event) => keep(event.currentTarget.checked)}
              label="Keep secrets in a file that only you can read"
              description="If you turn this off, the lab deletes the file and keeps the secrets in memory until it ends."
            />
          )}
        </div>
      )}
    </Card>
  );
};
