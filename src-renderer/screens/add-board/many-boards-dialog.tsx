import { Button, Checkbox } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ListedBoard } from "#contract/boards.ts";
import style from "#renderer/screens/board/board.module.css";
import { checkCommand } from "#renderer/screens/board/board-words.ts";
import { SignInFields } from "#renderer/screens/board/sign-in-fields.tsx";
import {
  freshSignIn,
  type SignInForm,
  signInErrors,
  signInOf,
} from "#renderer/screens/board/sign-in-form.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { messageOf } from "#renderer/state/states.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Problem, Small } from "#renderer/ui/page.tsx";
import {
  afterReached,
  inTurn,
  type ManyRow,
  manySummary,
  phaseOf,
  rowsOfList,
  type UnknownKey,
  unknownKeys,
  withRow,
} from "./many-boards.ts";
import { ManyBoardsTable } from "./many-boards-table.tsx";
import { ManyList } from "./many-list.tsx";
import { ManySetUp } from "./many-set-up.tsx";

/** Several boards at once, from a list: looked for together, signed in to in the same way, each with its own end. */
export const ManyBoardsDialog = ({
  opened,
  taken,
  onClose,
}: {
  readonly opened: boolean;
  readonly taken: readonly string[];
  readonly onClose: () => void;
}) => (
  <Dialog
    opened={opened}
    title="Add several boards"
    size="980px"
    onClose={onClose}
    returnTo="add-device"
    keepOnClickOutside
  >
    <Many taken={taken} onClose={onClose} />
  </Dialog>
);

/** So many are looked for, and signed in to, at the same time. */
const REACHED_AT_ONCE = 8;
const ADDED_AT_ONCE = 3;

const Many = ({ taken, onClose }: { readonly taken: readonly string[]; readonly onClose: () => void }) => {
  const { client } = useStates();
  const [rows, setRows] = useState<readonly ManyRow[]>([]);
  // the names of those that were added are not in the way of what is still on the list
  const [takenAtFirst] = useState(taken);
  const [form, setForm] = useState<SignInForm>();
  const [asked, setAsked] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const phase = phaseOf(rows);
  const change: typeof withRow extends (rows: never, ...rest: infer R) => unknown
    ? (...rest: R) => void
    : never = (...what) => setRows((before) => withRow(before, ...what));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked for next is the reason
  useEffect(() => {
    const field = box.current?.querySelector<HTMLElement>("[data-stage-focus]");
    (field?.matches("input, button, textarea, h3")
      ? field
      : (field?.querySelector<HTMLElement>("input, textarea") ?? box.current)
    )?.focus();
  }, [phase]);

  const reach = async (those: readonly ManyRow[]) => {
    for (const { line } of those) change(line, { state: "reaching" });
    await inTurn(those, REACHED_AT_ONCE, async ({ line, target }) => {
      try {
        change(line, afterReached(await client.boards.reach({ target })));
      } catch (error) {
        change(line, { state: "failed", problem: asBoardProblem(error) });
      }
    });
  };
  const begin = (listed: readonly ListedBoard[]) => {
    const fresh = rowsOfList(listed, takenAtFirst);
    setRows(fresh);
    void reach(fresh);
  };
  const signInForm =
    form ??
    freshSignIn(
      rows.find(({ reached }) => reached !== undefined)?.reached?.ways ?? {
        agent: false,
        keys: [],
        labKey: false,
      },
      false,
    );
  const add = async (those: readonly ManyRow[]) => {
    if (Object.keys(signInErrors(signInForm)).length > 0) return setAsked(true);
    for (const { line } of those) change(line, { state: "adding" });
    await inTurn(those, ADDED_AT_ONCE, async ({ line, name, target }) => {
      try {
        await client.boards.add({
          name,
          target,
          signIn: signInOf(signInForm),
          installKey: signInForm.installKey,
        });
        change(line, { state: "added" });
      } catch (error) {
        change(line, { state: "failed", problem: asBoardProblem(error) });
      }
    });
  };
  /** From where it failed: those that were reached are signed in to again. */
  const again = (row: ManyRow) => (row.reached?.trust === "known" ? add([row]) : reach([row]));
  const ways = rows.map(({ reached }) => reached?.ways).find((known) => known !== undefined);
  const failed = rows.filter(({ state }) => state === "failed");
  const added = rows.filter(({ state }) => state === "added");

  if (phase === "list") return <ManyList taken={takenAtFirst} onList={begin} onCancel={onClose} />;
  return (
    <div ref={box} className={style.stage} tabIndex={-1}>
      <p role="status">{manySummary(rows)}.</p>
      <ManyBoardsTable rows={rows} onAgain={again} />
      {phase === "keys" && <Keys rows={rows} onTrusted={reach} onChange={change} />}
      {(phase === "sign-in" ||
        (phase === "done" && failed.some(({ reached }) => reached?.trust === "known"))) &&
        ways !== undefined && (
          <form
            className={style.form}
            onSubmit={(event) => {
              event.preventDefault();
              void add(
                rows.filter(
                  ({ state, reached }) =>
                    state === "reached" || (state === "failed" && reached?.trust === "known"),
                ),
              );
            }}
            noValidate
          >
            <h3>
              {phase === "sign-in"
                ? "One sign-in for all of them"
                : "Try those that failed again, with another sign-in if that was why"}
            </h3>
            <SignInFields form={signInForm} onChange={setForm} ways={ways} asked={asked} user={undefined} />
            <div className={style.buttons}>
              <Button type="submit" variant="filled">
                {phase === "sign-in"
                  ? `Add ${plural(rows.filter(({ state }) => state === "reached").length, "board")}`
                  : "Try again"}
              </Button>
              <Button onClick={onClose}>{added.length > 0 ? "Done" : "Cancel"}</Button>
            </div>
          </form>
        )}
      {phase === "done" && added.length > 0 && <ManySetUp names={added.map(({ name }) => name)} />}
      {phase === "done" && !failed.some(({ reached }) => reached?.trust === "known") && (
        <div className={style.buttons}>
          {failed.length > 0 && (
            <Button onClick={() => reach(failed)}>Look for those that failed again</Button>
          )}
          <Button variant={added.length > 0 ? "default" : "filled"} onClick={onClose}>
            {added.length > 0 ? "Done" : "Leave"}
          </Button>
        </div>
      )}
    </div>
  );
};

/** All keys that nobody has looked at yet, to be compared and taken together. */
const Keys = ({
  rows,
  onTrusted,
  onChange,
}: {
  readonly rows: readonly ManyRow[];
  readonly onTrusted: (those: readonly ManyRow[]) => Promise<void>;
  readonly onChange: (line: number, change: Partial<ManyRow>) => void;
}) => {
  const { client } = useStates();
  const keys = unknownKeys(rows);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const wanted = keys.filter(({ id }) => !left.has(id));
  const trust = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      for (const { host, port, key } of wanted) {
        await client.boards.trust({ host, port, fingerprint: key.fingerprint });
      }
      for (const key of keys.filter(({ id }) => left.has(id))) leaveOut(key);
      const lines = new Set(wanted.flatMap((key) => key.lines));
      await onTrusted(rows.filter(({ line }) => lines.has(line)));
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  const leaveOut = ({ lines, key }: UnknownKey) => {
    for (const line of lines) {
      onChange(line, {
        state: "failed",
        problem: {
          code: "host-key-new",
          title: "Its key was not trusted",
          cause: `It shows ${key.fingerprint}.`,
          next: "Compare it with what the board itself says, then try again.",
        },
      });
    }
  };
  const types = [...new Set(keys.map(({ key }) => key.type))];
  return (
    <div className={style.form}>
      <h3 tabIndex={-1} data-stage-focus>
        {keys.length === 1 ? "This key is new" : `These ${keys.length} keys are new`}: do they match what the
        boards say?
      </h3>
      <p className={style.note}>
        On each board: <code className={style.mono}>{types.map(checkCommand).join(" or ")}</code>. What is not
        ticked is left out.
      </p>
      <ul className={style.keys}>
        {keys.map((key) => (
          <li key={key.id}>
            <Checkbox
              checked={!left.has(key.id)}
              onChange={(event) => {
                const next = new Set(left);
                if (event.currentTarget.checked) next.delete(key.id);
                else next.add(key.id);
                setLeft(next);
              }}
              label={
                <>
                  <b>{key.isJump ? `${key.host}, the host in between` : key.names.join(", ")}</b>{" "}
                  <Small>
                    {key.isJump ? `for ${key.names.join(", ")}` : `${key.host}:${key.port}`} · {key.key.type}
                  </Small>
                  <br />
                  <span className={style.mono}>{key.key.fingerprint}</span>
                </>
              }
            />
          </li>
        ))}
      </ul>
      {problem !== undefined && <Problem text={problem} />}
      <div className={style.buttons}>
        <Button variant="filled" onClick={trust} loading={busy}>
          {wanted.length === 0
            ? "Leave them all out"
            : wanted.length === 1
              ? "It matches: trust it"
              : `They match: trust these ${wanted.length}`}
        </Button>
      </div>
    </div>
  );
};
