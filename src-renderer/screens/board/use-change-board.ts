import { useState } from "react";
import type { BoardProblem } from "#contract/boards.ts";
import { asBoardProblem } from "#renderer/state/problem-of.ts";
import { useStates } from "#renderer/state/use-states.ts";

/** Changes a board's record; `onDone` is called once the lab has taken the change. */
export const useChangeBoard = (name: string, onDone: () => void) => {
  const { client, setBoard } = useStates();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<BoardProblem>();
  const change = async (what: Omit<Parameters<typeof client.boards.change>[0], "name">) => {
    setBusy(true);
    setProblem(undefined);
    try {
      setBoard(await client.boards.change({ name, ...what }));
      onDone();
    } catch (error) {
      setProblem(asBoardProblem(error));
      setBusy(false);
    }
  };
  return { change, busy, problem };
};
