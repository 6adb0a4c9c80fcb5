import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { BoardProblemBox } from "#renderer/screens/board/board-problem-box.tsx";
import { targetText } from "#renderer/screens/board/board-target.ts";
import { SignInFields } from "#renderer/screens/board/sign-in-fields.tsx";
import { freshSignIn, signInErrors, signInOf } from "#renderer/screens/board/sign-in-form.ts";
import { asBoardProblem, fieldOf } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Disclosure } from "#renderer/ui/disclosure.tsx";
import { Buttons, formClass, noteClass } from "#renderer/ui/form.tsx";
import type { Adding } from "./add-board.ts";
import { boardNameProblem, suggestedBoardName } from "./board-name.ts";
import style from "./name-and-sign-in.module.css";

/** The board's name, and how the lab signs in: the last questions. */
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
    boardNameProblem(name, taken) ?? (refusedName?.name === name.trim() ? refusedName.why : undefined);

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
    <form ref={fields} className={formClass} onSubmit={submit} noValidate>
      <h3>Sign in to {targetText({ ...target, user: target.user ?? reached.user })}</h3>
      {problem !== undefined && (
        <BoardProblemBox
          problem={problem}
          hide={["retry", "sign-in"]}
          onAction={(action) => (action.do === "edit-target" ? onAddress() : undefined)}
        />
      )}
      <fieldset className={style.fields} disabled={busy}>
        <SignInFields form={form} onChange={setForm} ways={reached.ways} asked={asked} user={reached.user} />
        <TextInput
          label="Name"
          description="The board's name in the lab and in studies."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={busy ? undefined : wrongName}
          maxLength={41}
          spellCheck={false}
          autoComplete="off"
        />
        <Disclosure summary="Is the data set already on the board?">
          <TextInput
            label="Folder on the board"
            description="Leave empty to let the lab send the board its share of each study's data."
            value={dataFolder}
            onChange={(event) => setDataFolder(event.currentTarget.value)}
            placeholder="/data/fashion-mnist"
            spellCheck={false}
            autoComplete="off"
          />
        </Disclosure>
      </fieldset>
      <Buttons>
        <Button type="submit" variant="filled" loading={busy}>
          Add {name.trim() === "" ? "the board" : name.trim()}
        </Button>
        <Button onClick={onAddress} disabled={busy}>
          Change address
        </Button>
        {busy && (
          <span className={noteClass}>Signing in and checking the board. This takes a few seconds.</span>
        )}
      </Buttons>
    </form>
  );
};
