import { Button, Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useFleet } from "#renderer/state/use-states.ts";
import { plural } from "#renderer/ui/format.ts";
import { Small } from "#renderer/ui/page.tsx";
import { offeredBoards, withBoard } from "./boards-field.ts";
import { useDraftStore, useFieldProblem, useSetting } from "./draft-store.ts";
import style from "./new-study.module.css";

/** A list that fits needs no filter. */
const MANY = 10;

const asNames = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];

/** Which boards take part. Ready boards can be selected; the others say why they cannot. */
export const Boards = () => {
  const store = useDraftStore();
  const devices = useFleet((state) => state.view?.devices);
  const chosen = asNames(useSetting("fleet.devices"));
  const problem = useFieldProblem("fleet.devices");
  const [wanted, setWanted] = useState("");
  const offered = offeredBoards(devices ?? [], chosen);
  if (offered.length === 0) {
    return devices === undefined ? null : (
      <p className={style.help}>
        No boards in the fleet yet. <Link href="/fleet">Add one over SSH</Link> to train on it beside virtual
        devices.
      </p>
    );
  }
  const put = (next: readonly string[] | undefined) => store.set("fleet.devices", next);
  const ready = offered.filter(({ whyNot, note }) => whyNot === undefined && note === undefined);
  const filter = wanted.trim().toLowerCase();
  const shown = offered.filter(({ name, model }) => `${name} ${model}`.toLowerCase().includes(filter));
  return (
    <fieldset className={style.boards} data-path="fleet.devices">
      <legend>
        Boards{" "}
        <span className={style.unit}>
          {chosen.length === 0 ? "none selected" : `${chosen.length} selected`}
        </span>
      </legend>
      {offered.length > MANY && (
        <TextInput
          size="xs"
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          placeholder="Name or model"
          aria-label="Filter boards"
        />
      )}
      <ul className={style.boardList}>
        {shown.map(({ name, model, chosen: isChosen, whyNot, note }) => (
          <li key={name}>
            <Checkbox
              size="sm"
              checked={isChosen}
              disabled={whyNot !== undefined && !isChosen}
              onChange={(event) => put(withBoard(chosen, name, event.currentTarget.checked))}
              label={
                <>
                  {name} <Small>{model}</Small>
                </>
              }
              {...(whyNot !== undefined && isChosen ? { error: whyNot } : {})}
              {...(whyNot === undefined && note === undefined
                ? {}
                : { description: isChosen && whyNot !== undefined ? undefined : (whyNot ?? note) })}
            />
            {whyNot !== undefined && model !== "" && (
              <Link href={`/fleet/${encodeURIComponent(name)}`} aria-label={`Open ${name}`}>
                Open
              </Link>
            )}
          </li>
        ))}
      </ul>
      {problem !== undefined && <p className={style.fieldProblem}>{problem}</p>}
      <div className={style.buttons}>
        {ready.length > 0 && (
          <Button
            size="xs"
            onClick={() => put([...new Set([...chosen, ...ready.map(({ name }) => name)])])}
            disabled={ready.every((board) => board.chosen)}
          >
            Select{" "}
            {ready.length === 1
              ? "the ready board"
              : `all ${plural(ready.length, "ready board", "ready boards")}`}
          </Button>
        )}
        {chosen.length > 0 && (
          <Button size="xs" onClick={() => put(undefined)}>
            Clear selection
          </Button>
        )}
      </div>
    </fieldset>
  );
};
