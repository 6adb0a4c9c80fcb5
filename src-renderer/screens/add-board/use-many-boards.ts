import { useState } from "react";
import type { BoardProblem, ListedBoard } from "#contract/boards.ts";
import {
  freshSignIn,
  type SignInForm,
  type SignInWays,
  signInErrors,
  signInOf,
} from "#renderer/screens/board/sign-in-form.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { afterReached, inTurn, type ManyRow, rowsOfList, type UnknownKey, withRow } from "./many-boards.ts";

/** How many boards are contacted, and signed in to, at the same time. */
const REACHED_AT_ONCE = 8;
const ADDED_AT_ONCE = 3;

const NO_WAYS: SignInWays = { agent: false, keys: [], labKey: false };

/** Adds several boards: the rows of the list, their common sign-in, and the steps that take the rows on. */
export const useManyBoards = (taken: readonly string[]) => {
  const { client } = useStates();
  const [rows, setRows] = useState<readonly ManyRow[]>([]);
  const [typed, setTyped] = useState<SignInForm>();
  /** The person tried to sign in: mark what is missing. */
  const [asked, setAsked] = useState(false);
  const ways = rows.find(({ reached }) => reached !== undefined)?.reached?.ways;
  const signIn = typed ?? freshSignIn(ways ?? NO_WAYS, false);
  const change = (line: number, next: Parameters<typeof withRow>[2]) =>
    setRows((before) => withRow(before, line, next));
  const fail = (line: number, problem: BoardProblem) => change(line, { state: "failed", problem });

  /** Contacts these boards and reads their host keys. */
  const reach = async (those: readonly ManyRow[]) => {
    for (const { line } of those) change(line, { state: "reaching" });
    await inTurn(those, REACHED_AT_ONCE, async ({ line, target }) => {
      try {
        change(line, afterReached(await client.boards.reach({ target })));
      } catch (error) {
        fail(line, asBoardProblem(error));
      }
    });
  };
  /** Signs in to these boards and adds them to the fleet. */
  const add = async (those: readonly ManyRow[]) => {
    if (Object.keys(signInErrors(signIn)).length > 0) return setAsked(true);
    for (const { line } of those) change(line, { state: "adding" });
    await inTurn(those, ADDED_AT_ONCE, async ({ line, name, target }) => {
      try {
        await client.boards.add({
          name,
          target,
          signIn: signInOf(signIn),
          installKey: signIn.installKey,
        });
        change(line, { state: "added" });
      } catch (error) {
        fail(line, asBoardProblem(error));
      }
    });
  };
  return {
    rows,
    signIn,
    setSignIn: setTyped,
    ways,
    asked,
    reach,
    /** Starts with the boards of a list. */
    begin: (listed: readonly ListedBoard[]) => {
      const fresh = rowsOfList(listed, taken);
      setRows(fresh);
      void reach(fresh);
    },
    /** Signs in wherever the host key is known: to boards that were just reached, and to those that failed. */
    addReached: () =>
      add(
        rows.filter(
          ({ state, reached }) => state === "reached" || (state === "failed" && reached?.trust === "known"),
        ),
      ),
    /** Retries from where it failed. */
    retry: (row: ManyRow) => (row.reached?.trust === "known" ? add([row]) : reach([row])),
    /** The person did not trust this key. */
    leaveOut: ({ lines, key }: UnknownKey) => {
      for (const line of lines) {
        fail(line, {
          code: "host-key-new",
          title: "You did not trust its host key",
          cause: `It shows ${key.fingerprint}.`,
          next: "Compare it with the fingerprint on the board itself, then try again.",
        });
      }
    },
  };
};
export type ManyBoards = ReturnType<typeof useManyBoards>;
