import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import style from "#renderer/screens/board/board.module.css";
import { BoardProblemBox } from "#renderer/screens/board/board-problem.tsx";
import { suggestedBoardName } from "#renderer/screens/board/board-words.ts";
import { SignInFields } from "#renderer/screens/board/sign-in-fields.tsx";
import { freshSignIn, signInErrors, signInOf } from "#renderer/screens/board/sign-in-form.ts";
import { asBoardProblem, fieldOf } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import type { Adding } from "./add-board.ts";
import { targetText } from "./board-target.ts";

export const nameProblem = (name: string, taken: readonly string[]): string | undefined => {
  const trimmed = name.trim();
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/i.test(trimmed))
    return "Letters, digits and dashes, at most 41; the first is no dash.";
  return taken.some((other) => other.toLowerCase() === trimmed.toLowerCase())
    ? `There is a device called ${trimmed}. Choose another name.`
    : undefined;
};

/** What it is called, and how one signs in: the last things that are asked. */
export const NameAndSignIn = ({
  adding,
  taken,
  isConfigured,
  onChange,
  onAddress,
}: {
  readonly adding: Extract<Adding, { at: "sign-in" | "adding" }>;
  readonly taken: readonly string[];
  readonly isConfigured: boolean;
  readonly onChange: (next: Adding) => void;
  readonly onAddress: () => void;
}) => {
  const { client, setBoard } = useStates();
  const { target, reached } = adding;
  const [name, setName] = useState(() => suggestedBoardName(target.host, taken));
  const [form, setForm] = useState(() => freshSignIn(reached.ways, isConfigured));
  const [dataFolder, setDataFolder] = useState("");
  const [asked, setAsked] = useState(false);
  const [refusedName, setRefusedName] = useState<{ name: string; why: string }>();
  const fields = useRef<HTMLFormElement>(null);
  const busy = adding.at === "adding";
  const problem = adding.at === "sign-in" ? adding.problem : undefined;
  const wrongName =
    nameProblem(name, taken) ?? (refusedName?.name === name.trim() ? refusedName.why : undefined);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setAsked(true);
    const lacking = Object.keys(signInErrors(form)).length > 0;
    if (wrongName !== undefined || lacking) {
      requestAnimationFrame(() =>
        fields.current?.querySelector<HTMLElement>("input[aria-invalid=true]")?.focus(),
      );
      return;
    }
    onChange({ at: "adding", target, reached });
    try {
      const folder = dataFolder.trim();
      const view = await client.boards.add({
        name: name.trim(),
        target,
        signIn: signInOf(form),
        installKey: form.installKey,
        ...(folder === "" ? {} : { dataFolder: folder }),
      });
      onChange({ at: "added", name: view.name });
      setBoard(view);
    } catch (error) {
      const why = fieldOf(error, "name");
      if (why !== undefined) setRefusedName({ name: name.trim(), why });
      onChange({
        at: "sign-in",
        target,
        reached,
        ...(why === undefined ? { problem: asBoardProblem(error) } : {}),
      });
    }
  };
  return (
    <form ref={fields} className={style.form} onSubmit={submit} noValidate>
      <h3>Sign in at {targetText({ ...target, user: target.user ?? reached.user })}</h3>
      {problem !== undefined && (
        <BoardProblemBox
          problem={problem}
          hide={["retry", "sign-in"]}
          onAction={(action) => (action.do === "edit-target" ? onAddress() : undefined)}
        />
      )}
      <fieldset className={style.plain} disabled={busy}>
        <SignInFields form={form} onChange={setForm} ways={reached.ways} asked={asked} user={reached.user} />
        <TextInput
          label="Name"
          description="What it is called in the lab and in studies."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={busy ? undefined : wrongName}
          maxLength={41}
          spellCheck={false}
          autoComplete="off"
        />
        <details className={style.more}>
          <summary>The data set is on the board already</summary>
          <TextInput
            mt={8}
            label="Folder on the board"
            description="Left empty, the lab sends each board its own part of a study's data."
            value={dataFolder}
            onChange={(event) => setDataFolder(event.currentTarget.value)}
            placeholder="/data/fashion-mnist"
            spellCheck={false}
            autoComplete="off"
          />
        </details>
      </fieldset>
      <div className={style.buttons}>
        <Button type="submit" variant="filled" loading={busy}>
          Add {name.trim() === "" ? "the board" : name.trim()}
        </Button>
        <Button onClick={onAddress} disabled={busy}>
          Another address
        </Button>
        {busy && <span className={style.note}>Signing in, then looking at the board: some seconds.</span>}
      </div>
    </form>
  );
};
