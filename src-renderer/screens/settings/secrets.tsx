import { Switch } from "@mantine/core";
import { useEffect, useState } from "react";
import type { SecretsView } from "#contract/boards.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Card, Pill, Problem, Small } from "#renderer/ui/page.tsx";
import style from "./settings.module.css";

const WHERE: Readonly<
  Record<SecretsView["kept"], { readonly title: string; readonly text: string; readonly tone: "ok" | "warn" }>
> = {
  "safe-storage": {
    title: "Encrypted",
    text: "The system's own key store encrypts them: whoever copies the file cannot read them.",
    tone: "ok",
  },
  file: {
    title: "In a file that only you can read",
    text: "Its mode is 0600: other users of this computer cannot read it. It is not encrypted: whoever has your account, or a copy of your disk, can.",
    tone: "ok",
  },
  memory: {
    title: "In memory only",
    text: "They are gone when the lab ends. After a restart, boards that need one of them ask you to sign in again; so do those with the lab's own key, which is one of them.",
    tone: "warn",
  },
};

/** Where passwords, passphrases and the lab's own key rest, and what that means. */
export const Secrets = () => {
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
    <Card title="Secrets of boards" note="passwords, passphrases, the lab's own key">
      {problem !== undefined && <Problem text={problem} />}
      {view !== undefined && (
        <div className={style.secrets}>
          <p>
            <Pill tone={WHERE[view.kept].tone} mark={WHERE[view.kept].tone === "ok" ? "✓" : "!"}>
              {WHERE[view.kept].title}
            </Pill>
          </p>
          <p>{WHERE[view.kept].text}</p>
          {view.path !== undefined && (
            <p>
              <code className={style.path}>{view.path}</code>
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
              label="Keep them in a file that only you can read"
              description="Switched off, the file is removed and they stay in memory until the lab ends."
            />
          )}
        </div>
      )}
    </Card>
  );
};
